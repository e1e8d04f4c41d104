//! The header of a record batch, as it stands on the wire and in the log.
//!
//! The layout is that of Kafka's message format, version 2
//! (<https://kafka.apache.org/documentation/#recordbatch>). The first offset and the leader's epoch lie
//! before what the checksum covers, so a broker numbers a batch without touching the rest.

/// Length of a batch's header in bytes.
pub const HEADER_BYTES: usize = 61;
/// Bytes before those that `batchLength` counts: the first offset and the length itself.
const LENGTH_COUNTS_FROM: usize = 12;
const CHECKSUM_COVERS_FROM: usize = 21;
const MAGIC: u8 = 2;
const CONTROL_OR_TRANSACTIONAL: i16 = 0x30;

/// What a broker needs to know of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Length of the whole batch in bytes, header included.
    pub bytes: usize,
    /// Offset of the last record, counted from the first.
    pub last_offset_delta: i32,
    /// The latest time of a record, in milliseconds since 1970.
    pub max_timestamp_ms: i64,
    /// Who wrote it, or -1 for a producer that is not idempotent.
    pub producer_id: i64,
    /// Which life of that producer.
    pub producer_epoch: i16,
    /// The producer's number of the first record.
    pub base_sequence: i32,
    attributes: i16,
    magic: u8,
    checksum: u32,
}

/// Bytes that are no batch this broker can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end within the batch.
    #[error("the batch is cut off")]
    Short,
    /// Another version of the format, or numbers that make no sense.
    #[error("the batch is not of format 2 or its header makes no sense")]
    Malformed,
    /// The checksum is another one.
    #[error("the batch's checksum does not fit its bytes")]
    Corrupt,
    /// Part of a transaction.
    #[error("the embedded broker has no transactions")]
    Transactional,
}

impl Header {
    /// Reads the header at the beginning of `bytes`.
    ///
    /// # Errors
    /// [`BatchError::Short`] with fewer than [`HEADER_BYTES`], [`BatchError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(BatchError::Short)?;
        let length = i32::from_be_bytes(field(header, 8));
        let header = Self {
            base_offset: i64::from_be_bytes(field(header, 0)),
            bytes: usize::try_from(length).map_err(|_| BatchError::Malformed)? + LENGTH_COUNTS_FROM,
            magic: header[16],
            checksum: u32::from_be_bytes(field(header, 17)),
            attributes: i16::from_be_bytes(field(header, 21)),
            last_offset_delta: i32::from_be_bytes(field(header, 23)),
            max_timestamp_ms: i64::from_be_bytes(field(header, 35)),
            producer_id: i64::from_be_bytes(field(header, 43)),
            producer_epoch: i16::from_be_bytes(field(header, 51)),
            base_sequence: i32::from_be_bytes(field(header, 53)),
        };
        let sensible = header.magic == MAGIC && header.bytes >= HEADER_BYTES && header.last_offset_delta >= 0;
        if sensible { Ok(header) } else { Err(BatchError::Malformed) }
    }

    /// Reads and checks the whole batch at the beginning of `bytes`.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn checked(bytes: &[u8]) -> Result<Self, BatchError> {
        let header = Self::parse(bytes)?;
        let covered = bytes.get(CHECKSUM_COVERS_FROM..header.bytes).ok_or(BatchError::Short)?;
        if crc32c::crc32c(covered) != header.checksum {
            return Err(BatchError::Corrupt);
        }
        if header.attributes & CONTROL_OR_TRANSACTIONAL != 0 {
            return Err(BatchError::Transactional);
        }
        Ok(header)
    }

    /// Offset of the last record.
    #[must_use]
    pub fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }
}

/// Numbers a batch: writes the offset of its first record and the leader's epoch, which is always 0.
pub fn number(batch: &mut [u8], base_offset: i64) {
    batch[..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&0_i32.to_be_bytes());
}

fn field<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}
