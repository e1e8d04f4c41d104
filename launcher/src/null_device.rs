//! The null device, which the programs of PostgreSQL write to as a user who isn't root.
//!
//! A copy made by root onto `/dev/null` that keeps the rights of its source leaves the device writable for
//! root alone, and `initdb` then ends with a shell's "Permission denied" that names no cause.

use crate::LaunchError;
use std::{
    io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
};

/// Where it is.
pub(crate) const PATH: &str = "/dev/null";

/// The rights the kernel gives it.
const USUAL: u32 = 0o666;

/// Sees to it, as root, that every user can read and write the device; gives whether its rights had to be mended.
///
/// # Errors
/// If it is no device any more (a file was put in its place), or its rights can't be changed.
pub(crate) fn open_to_all(path: &Path) -> Result<bool, LaunchError> {
    let unusable = |why: String| {
        LaunchError::Other(format!(
            "{0} {why}, so PostgreSQL can't run as a user of its own. As root: rm -f {0} && mknod -m 666 {0} c 1 3",
            path.display()
        ))
    };
    let data = path.metadata().map_err(|error| unusable(format!("can't be looked at: {error}")))?;
    if !data.file_type().is_char_device() {
        return Err(unusable("is not the null device".to_owned()));
    }
    if data.permissions().mode() & USUAL == USUAL {
        return Ok(false);
    }
    let open = std::fs::Permissions::from_mode(USUAL);
    std::fs::set_permissions(path, open).map_err(|error: io::Error| {
        unusable(format!("is closed to other users, and can't be opened to them: {error}"))
    })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{USUAL, open_to_all};
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    use std::os::unix::fs::PermissionsExt;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn a_file_in_the_place_of_the_device_is_refused_with_the_command_that_mends_it() -> Outcome {
        let file = tempfile::NamedTempFile::new()?;
        let refused = open_to_all(file.path()).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|why| why.contains("is not the null device") && why.contains("mknod -m 666")));
        Ok(())
    }

    #[test]
    fn a_device_closed_to_other_users_is_opened_and_an_open_one_left_alone() -> Outcome {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("null");
        let closed = Mode::S_IRUSR | Mode::S_IWUSR | Mode::S_IRGRP | Mode::S_IROTH;
        if let Err(error) = mknod(&path, SFlag::S_IFCHR, closed, makedev(1, 3)) {
            test_skips::skip(&format!("only root makes devices ({error})"));
            return Ok(());
        }
        assert!(open_to_all(&path)?, "closed, so it has to be mended");
        assert_eq!(path.metadata()?.permissions().mode() & 0o777, USUAL);
        assert!(!open_to_all(&path)?, "open, so nothing is to be done");
        Ok(())
    }
}
