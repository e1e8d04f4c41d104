//! The envelope around every event: CloudEvents 1.0, Kafka protocol binding, binary content mode.
//!
//! Attributes travel as record headers `ce_<name>`, the payload as the JSON record value. souk's
//! extension attributes start with `souk`; `traceparent` is the distributed tracing extension.

use crate::{Timestamp, contexts::Context, ids::EventId, ids::TenantId};
use chrono::SecondsFormat;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Metadata of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Unique id of the event.
    pub id: EventId,
    /// `souk.<context>.<aggregate>.<what happened>.v<version of the payload>`.
    pub event_type: String,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The context that recorded it.
    pub context: Context,
    /// The kind of aggregate, such as `product`.
    pub aggregate: String,
    /// The aggregate's id.
    pub aggregate_id: Uuid,
    /// The aggregate's version after this event; 1 is the first.
    pub version: u64,
    /// When it was recorded.
    pub time: Timestamp,
    /// The request that started it all.
    pub correlation_id: String,
    /// The event or command that caused this one, if not the request itself.
    pub causation_id: Option<String>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// A header is missing or can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A required attribute is absent.
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    /// An attribute is there but not of its form.
    #[error("the header `{0}` holds `{1}`, which can't be read")]
    Invalid(&'static str, String),
}

impl Envelope {
    /// The CloudEvents `source`: the context that recorded the event.
    #[must_use]
    pub fn source(&self) -> String {
        format!("/souk/write-api/{}", self.context)
    }

    /// The CloudEvents `subject`: `<aggregate>/<id>`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}/{}", self.aggregate, self.aggregate_id)
    }

    /// The record headers, in the order they are sent.
    #[must_use]
    pub fn to_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.id.to_string()),
            ("ce_type", self.event_type.clone()),
            ("ce_source", self.source()),
            ("ce_subject", self.subject()),
            ("ce_time", self.time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            ("ce_dataschema", format!("/schemas/{}.json", self.event_type)),
            ("content-type", "application/json".to_owned()),
            ("ce_souktenant", self.tenant.to_string()),
            ("ce_soukversion", self.version.to_string()),
            ("ce_soukcorrelation", self.correlation_id.clone()),
        ];
        if let Some(causation) = &self.causation_id {
            headers.push(("ce_soukcausation", causation.clone()));
        }
        if let Some(traceparent) = &self.traceparent {
            headers.push(("ce_traceparent", traceparent.clone()));
        }
        headers
    }

    /// Reads the record headers back. Unknown headers are allowed, as CloudEvents demands.
    ///
    /// # Errors
    /// [`EnvelopeError`] names the first header that is missing or malformed.
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, EnvelopeError> {
        let map: BTreeMap<&str, &str> =
            headers.into_iter().filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?))).collect();
        let need = |name: &'static str| map.get(name).copied().ok_or(EnvelopeError::Missing(name));
        let event_type = need("ce_type")?;
        let context = event_type.strip_prefix("souk.").and_then(|rest| rest.split('.').next());
        let subject = need("ce_subject")?;
        let (aggregate, aggregate_id) =
            subject.split_once('/').ok_or_else(|| EnvelopeError::Invalid("ce_subject", subject.to_owned()))?;
        Ok(Self {
            id: EventId(read("ce_id", need("ce_id")?)?),
            event_type: event_type.to_owned(),
            tenant: TenantId(read("ce_souktenant", need("ce_souktenant")?)?),
            context: read("ce_type", context.unwrap_or(event_type))?,
            aggregate: aggregate.to_owned(),
            aggregate_id: read("ce_subject", aggregate_id)?,
            version: read("ce_soukversion", need("ce_soukversion")?)?,
            time: read("ce_time", need("ce_time")?)?,
            correlation_id: need("ce_soukcorrelation")?.to_owned(),
            causation_id: map.get("ce_soukcausation").map(|text| (*text).to_owned()),
            traceparent: map.get("ce_traceparent").map(|text| (*text).to_owned()),
        })
    }
}

fn read<T: std::str::FromStr>(name: &'static str, text: &str) -> Result<T, EnvelopeError> {
    text.parse().map_err(|_| EnvelopeError::Invalid(name, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::DomainEvent;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope {
            id: EventId(Uuid::from_u128(7)),
            event_type: "souk.catalog.product.created.v1".into(),
            tenant: TenantId(Uuid::from_u128(1)),
            context: Context::Catalog,
            aggregate: "product".into(),
            aggregate_id: Uuid::from_u128(2),
            version: 3,
            time: Timestamp::from_timestamp_micros(1_700_000_000_123_456).expect("a time"),
            correlation_id: "req-1".into(),
            causation_id: None,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        }
    }

    fn borrow<'a>(headers: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a [u8])> {
        headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
    }

    #[test]
    fn headers_lead_back_to_the_envelope() {
        let headers = envelope().to_headers();
        assert_eq!(Envelope::from_headers(borrow(&headers)), Ok(envelope()));
    }

    #[test]
    fn each_missing_header_is_named() {
        let headers = envelope().to_headers();
        for required in
            ["ce_id", "ce_type", "ce_subject", "ce_time", "ce_souktenant", "ce_soukversion", "ce_soukcorrelation"]
        {
            let without: Vec<_> = headers.iter().filter(|(name, _)| *name != required).cloned().collect();
            assert_eq!(Envelope::from_headers(borrow(&without)), Err(EnvelopeError::Missing(required)));
        }
    }

    /// Every type of event.
    fn types() -> Vec<(Context, &'static str)> {
        let of = |context: Context| context.events().into_iter().map(move |event| (context, event.event_type));
        Context::ALL.into_iter().flat_map(of).collect()
    }

    /// A header's value: as it should be, or anything.
    fn value(known: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
        prop_oneof![4 => Just(known.as_bytes().to_vec()), 1 => any::<Vec<u8>>(), 1 => "[ -~]{0,60}".prop_map(String::into_bytes)]
    }

    proptest! {
        #[test]
        fn any_record_is_read_or_refused(
            values in envelope().to_headers().iter().map(|(_, known)| value(known)).collect::<Vec<_>>(),
            left_out in 0_usize..40,
            event in prop::sample::select(types()),
            payload in prop_oneof![any::<Vec<u8>>(), "[\\[{][ -~]{0,80}[\\]}]".prop_map(String::into_bytes)],
        ) {
            let names = envelope().to_headers();
            let headers = names.iter().zip(&values).enumerate().filter(|(place, _)| *place != left_out);
            let headers: Vec<_> = headers.map(|(_, ((name, _), value))| (*name, value.as_slice())).collect();
            if let Ok(read) = Envelope::from_headers(headers) {
                // What was taken in can be sent on.
                let again = Envelope::from_headers(borrow(&read.to_headers())).expect("read again");
                prop_assert_eq!((&again.event_type, again.version), (&read.event_type, read.version));
                let _ = DomainEvent::decode(read.context, &read.event_type, &payload);
            }
            let _ = DomainEvent::decode(event.0, event.1, &payload);
        }
    }
}
