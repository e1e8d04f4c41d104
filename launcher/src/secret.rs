//! Secrets that a stack draws for itself and keeps in its data folder, where only their owner reads them.

use crate::LaunchError;
use std::{
    io::{Read, Write},
    path::Path,
};

/// Draws 128 random bits, as hexadecimal digits.
///
/// # Errors
/// If the system gives no random numbers.
pub fn draw() -> Result<String, LaunchError> {
    let mut random = [0_u8; 16];
    let source = Path::new("/dev/urandom");
    std::fs::File::open(source)
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(LaunchError::folder(source))?;
    Ok(hex::encode(random))
}

/// Writes a file of mode 600; it is there whole or not at all.
///
/// # Errors
/// If it can't be written.
pub fn keep(path: &Path, text: &str) -> Result<(), LaunchError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let kept = || {
        std::fs::create_dir_all(folder)?;
        // Of mode 600 from the beginning.
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(path)?;
        Ok(())
    };
    kept().map_err(LaunchError::folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_the_owner_reads_what_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/secret");
        for text in ["one", "another"] {
            keep(&path, text).expect("kept");
            assert_eq!(std::fs::read_to_string(&path).expect("read"), text);
            assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        }
        let (one, other) = (draw().expect("drawn"), draw().expect("drawn"));
        assert!(one.len() == 32 && one != other, "{one} {other}");
    }
}
