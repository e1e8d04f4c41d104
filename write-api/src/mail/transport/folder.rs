//! Mails as files, for development.

use super::SendError;
use schemas::Uuid;
use std::{io, io::Write, path::Path};

/// Writes a mail as a file whose name sorts by time, and which only the process's user may read. It has its name once it
/// is whole. The folder is made if need be.
pub(super) async fn put(folder: &Path, content: Vec<u8>) -> Result<(), SendError> {
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || write(&folder, &content)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(SendError::Later(format!("the file can't be written: {error}"))),
        Err(_) => Err(SendError::Later("the file was not written".to_owned())),
    }
}

fn write(folder: &Path, content: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist_noclobber(folder.join(format!("{}.eml", Uuid::now_v7())))?;
    Ok(())
}
