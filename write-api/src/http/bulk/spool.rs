//! A stream that is one transaction, taken in whole before the transaction begins: so that none is open, and nothing
//! is locked, while a client takes its time.

use super::{Stop, frames::Frames};
use crate::pipeline::{Error, Rejection};
use bytes::{Bytes, BytesMut};
use schemas::problem::{Code, Problem};
use std::io;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};

/// Bytes up to which a stream stays in memory.
const IN_MEMORY: usize = 1 << 20;
/// Bytes read from the file at once.
const PIECE: usize = 256 << 10;

/// What a stream may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Most lines that are not blank.
    pub(super) lines: usize,
    pub(super) bytes: u64,
}

/// What has come of a stream: in memory, and from some size on in a file without a name, which the system removes
/// with this process at the latest.
pub(super) struct Spool {
    bound: Bound,
    count: Count,
    memory: BytesMut,
    file: Option<File>,
}

impl Spool {
    pub(super) fn new(bound: Bound) -> Self {
        Self { bound, count: Count::default(), memory: BytesMut::new(), file: None }
    }

    /// Takes in all that comes.
    pub(super) async fn fill(mut self, frames: &mut Frames) -> Result<Whole, Stop> {
        while let Some(piece) = frames.next().await? {
            self.push(&piece).await?;
        }
        self.end().await.map_err(|error| no_room(&error))
    }

    async fn push(&mut self, piece: &[u8]) -> Result<(), Stop> {
        self.count.add(piece);
        self.within_bound()?;
        self.memory.extend_from_slice(piece);
        if self.memory.len() > IN_MEMORY {
            self.put_aside().await.map_err(|error| no_room(&error))?;
        }
        Ok(())
    }

    fn within_bound(&self) -> Result<(), Stop> {
        let Bound { lines, bytes } = self.bound;
        let detail = if self.count.lines > lines {
            format!("one transaction takes at most {lines} lines")
        } else if self.count.bytes > bytes {
            format!("one transaction takes at most {bytes} bytes")
        } else {
            return Ok(());
        };
        Err(Error::Rejected(Rejection::too_large(detail)).into())
    }

    async fn put_aside(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let made = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(io::Error::other)?;
                self.file.insert(File::from_std(made?))
            }
        };
        file.write_all(&self.memory).await?;
        self.memory.clear();
        Ok(())
    }

    async fn end(mut self) -> io::Result<Whole> {
        if self.file.is_some() {
            self.put_aside().await?;
        }
        if let Some(file) = &mut self.file {
            file.flush().await?;
            file.rewind().await?;
        }
        Ok(Whole { memory: self.memory, file: self.file })
    }
}

/// A stream that has come to its end.
#[derive(Debug)]
pub(super) struct Whole {
    memory: BytesMut,
    file: Option<File>,
}

impl Whole {
    /// The next piece of it, or nothing at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Stop> {
        if let Some(file) = &mut self.file {
            self.memory.reserve(PIECE);
            file.read_buf(&mut self.memory).await.map_err(|error| no_room(&error))?;
        }
        let piece = self.memory.split().freeze();
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// Counts as pieces come, wherever they end.
#[derive(Debug, Default)]
struct Count {
    bytes: u64,
    lines: usize,
    /// The present line is not blank.
    counted: bool,
}

impl Count {
    fn add(&mut self, piece: &[u8]) {
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        for (index, part) in piece.split(|byte| *byte == b'\n').enumerate() {
            self.counted &= index == 0;
            if !self.counted && !part.trim_ascii().is_empty() {
                self.counted = true;
                self.lines += 1;
            }
        }
    }
}

/// The folder for temporary files is full, or gone.
fn no_room(error: &io::Error) -> Stop {
    tracing::error!(%error, "a bulk write could not be kept in the folder for temporary files");
    Stop::Problem(Problem::new(Code::Unavailable).detail("there is no room to keep the stream until its end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use std::time::Duration;

    async fn filled(pieces: Vec<Vec<u8>>, bound: Bound) -> Result<Vec<u8>, Stop> {
        let pieces = futures::stream::iter(pieces.into_iter().map(Ok::<_, io::Error>));
        let mut frames = Frames::new(Body::from_stream(pieces), Duration::from_secs(60));
        let mut whole = Spool::new(bound).fill(&mut frames).await?;
        let mut all = Vec::new();
        while let Some(piece) = whole.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    fn told(result: Result<Vec<u8>, Stop>) -> String {
        match result {
            Err(Stop::Problem(problem)) => problem.detail.unwrap_or_default(),
            Err(Stop::Gone) => "gone".to_owned(),
            Ok(all) => format!("{} bytes", all.len()),
        }
    }

    const WIDE: Bound = Bound { lines: 1_000, bytes: 64 << 20 };

    #[tokio::test]
    async fn what_went_in_comes_out_from_memory_and_from_a_file() {
        for pieces in [0_usize, 1, 3, 40] {
            let sent: Vec<Vec<u8>> = (0_u8..).take(pieces).map(|n| vec![n; 100_003]).collect();
            assert!(filled(sent.clone(), WIDE).await.is_ok_and(|all| all == sent.concat()), "{pieces} pieces");
        }
    }

    #[tokio::test]
    async fn a_stream_has_an_end_in_lines_and_in_bytes() {
        let bound = Bound { lines: 2, bytes: 1_000 };
        let pieces = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(told(filled(pieces(&["a", "a\n\n", " \nb", "b\n\n"]), bound).await), "10 bytes");
        assert_eq!(told(filled(pieces(&["a\n", "b\n", "c"]), bound).await), "one transaction takes at most 2 lines");
        let long = vec![vec![b'x'; 600]; 2];
        assert_eq!(told(filled(long, bound).await), "one transaction takes at most 1000 bytes");
    }
}
