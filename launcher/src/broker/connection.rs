//! One client's connection: frames in, answers out, one after another as the protocol demands.

use super::{
    Broker, admin, records,
    sasl::{self, Session},
};
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::{
    error::ResponseError,
    messages::{ApiKey, ApiVersionsResponse, RequestHeader, ResponseHeader, api_versions_response::ApiVersion},
    protocol::{Decodable, Encodable, VersionRange},
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Largest request in bytes, as Kafka's `socket.request.max.bytes`.
const LARGEST_REQUEST: usize = 100 * 1024 * 1024;

/// The same before a client has proved who it is.
const LARGEST_UNPROVED: usize = 64 * 1024;

/// What this broker answers, and in which versions. Those of Fetch end where topics are named by id,
/// those of the others where clients need nothing newer.
const APIS: [(ApiKey, VersionRange); 12] = [
    (ApiKey::Produce, VersionRange { min: 3, max: 9 }),
    (ApiKey::Fetch, VersionRange { min: 4, max: 12 }),
    (ApiKey::ListOffsets, VersionRange { min: 1, max: 6 }),
    (ApiKey::Metadata, VersionRange { min: 0, max: 9 }),
    (ApiKey::FindCoordinator, VersionRange { min: 0, max: 3 }),
    (ApiKey::ApiVersions, VersionRange { min: 0, max: 3 }),
    (ApiKey::CreateTopics, VersionRange { min: 2, max: 5 }),
    (ApiKey::DeleteTopics, VersionRange { min: 1, max: 5 }),
    (ApiKey::DeleteRecords, VersionRange { min: 0, max: 2 }),
    (ApiKey::InitProducerId, VersionRange { min: 0, max: 4 }),
    (ApiKey::SaslHandshake, VersionRange { min: 0, max: 1 }),
    (ApiKey::SaslAuthenticate, VersionRange { min: 0, max: 2 }),
];

/// A connection ended before its client ended it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The bytes are no request this broker knows.
    #[error("{0}")]
    Request(String),
}

impl ConnectionError {
    fn request(error: impl std::fmt::Display) -> Self {
        Self::Request(error.to_string())
    }
}

/// A request with its version.
#[derive(Debug)]
pub struct Request {
    /// The version of the request and of its answer.
    pub version: i16,
    body: Bytes,
}

impl Request {
    /// The request as a message.
    ///
    /// # Errors
    /// If the bytes are none.
    pub fn decode<M: Decodable>(&mut self) -> Result<M, ConnectionError> {
        M::decode(&mut self.body, self.version).map_err(ConnectionError::request)
    }

    /// An answer as bytes.
    ///
    /// # Errors
    /// If this version can't say what is in it.
    pub fn encode<M: Encodable>(&self, answer: &M) -> Result<BytesMut, ConnectionError> {
        let mut bytes = BytesMut::with_capacity(answer.compute_size(self.version).unwrap_or_default());
        answer.encode(&mut bytes, self.version).map_err(ConnectionError::request)?;
        Ok(bytes)
    }
}

/// Serves a client until it goes.
///
/// # Errors
/// [`ConnectionError`].
pub async fn serve(broker: Arc<Broker>, mut stream: TcpStream) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let mut session = Session::begin(&broker);
    loop {
        let length = match stream.read_u32().await {
            Ok(length) => length as usize,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let largest = if session.is_proved() { LARGEST_REQUEST } else { LARGEST_UNPROVED };
        if !(8..=largest).contains(&length) {
            return Err(ConnectionError::Request(format!("a request of {length} bytes")));
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await?;
        if let Some((head, body)) = answer(&broker, &mut session, frame.into()).await? {
            let bytes = u32::try_from(head.len() + body.len()).map_err(ConnectionError::request)?;
            stream.write_all(&[&bytes.to_be_bytes()[..], &head].concat()).await?;
            stream.write_all(&body).await?;
        }
        if session.is_refused() {
            return Err(ConnectionError::Request("user or password is wrong".to_owned()));
        }
    }
}

/// The answer's header and body; none where the client wants none.
async fn answer(
    broker: &Broker,
    session: &mut Session,
    mut frame: Bytes,
) -> Result<Option<(BytesMut, BytesMut)>, ConnectionError> {
    let (key, version) = ((&frame[..]).get_i16(), (&frame[2..]).get_i16());
    let api = APIS.iter().find(|(api, _)| *api as i16 == key);
    let Some((key, versions)) = api else {
        return Err(ConnectionError::Request(format!("the API {key} is not one of the embedded broker's")));
    };
    let before = [ApiKey::ApiVersions, ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];
    if !session.is_proved() && !before.contains(key) {
        return Err(ConnectionError::Request(format!("{key:?} before a user and a password were sent")));
    }
    let header =
        RequestHeader::decode(&mut frame, key.request_header_version(version)).map_err(ConnectionError::request)?;
    let known = (versions.min..=versions.max).contains(&version);
    if !known && *key != ApiKey::ApiVersions {
        return Err(ConnectionError::Request(format!("version {version} of {key:?} is not served")));
    }
    let mut request = Request { version: if known { version } else { 0 }, body: frame };
    let body = match key {
        ApiKey::Produce => records::produce(broker, &mut request)?,
        ApiKey::Fetch => Some(records::fetch(broker, &mut request).await?),
        ApiKey::ListOffsets => Some(records::list_offsets(broker, &mut request)?),
        ApiKey::Metadata => Some(admin::metadata(broker, &mut request)?),
        ApiKey::FindCoordinator => Some(admin::find_coordinator(broker, &mut request)?),
        ApiKey::CreateTopics => Some(admin::create_topics(broker, &mut request)?),
        ApiKey::DeleteTopics => Some(admin::delete_topics(broker, &mut request)?),
        ApiKey::DeleteRecords => Some(records::delete_records(broker, &mut request)?),
        ApiKey::InitProducerId => Some(admin::init_producer_id(broker, &mut request)?),
        ApiKey::SaslHandshake => Some(sasl::handshake(broker, session, &mut request)?),
        ApiKey::SaslAuthenticate => Some(sasl::authenticate(broker, session, &mut request)?),
        _ => Some(request.encode(&api_versions(known))?),
    };
    let Some(body) = body else { return Ok(None) };
    let mut head = BytesMut::new();
    ResponseHeader::default()
        .with_correlation_id(header.correlation_id)
        .encode(&mut head, key.response_header_version(request.version))
        .map_err(ConnectionError::request)?;
    Ok(Some((head, body)))
}

/// A client that asks in a version unknown here is told those that are known, in the oldest.
fn api_versions(known: bool) -> ApiVersionsResponse {
    let apis = APIS.iter().map(|(api, versions)| {
        ApiVersion::default().with_api_key(*api as i16).with_min_version(versions.min).with_max_version(versions.max)
    });
    ApiVersionsResponse::default()
        .with_error_code(if known { 0 } else { ResponseError::UnsupportedVersion.code() })
        .with_api_keys(apis.collect())
}
