//! Sending records in order: a bounded window in flight, acknowledgements awaited in order.

use crate::log::FutureProducer;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, Headers, OwnedHeaders},
    producer::{DeliveryFuture, FutureRecord},
};
use std::collections::VecDeque;

/// Records in flight; librdkafka's idempotent producer keeps them in order.
const WINDOW: usize = 5_000;

/// A record to send.
#[derive(Debug)]
pub struct Outgoing {
    /// The topic's name.
    pub topic: String,
    /// The Kafka key.
    pub key: String,
    /// The payload.
    pub payload: String,
    /// The headers.
    pub headers: OwnedHeaders,
}

/// Kafka headers from names and values.
#[must_use]
pub fn headers(list: &[(&'static str, String)]) -> OwnedHeaders {
    list.iter().fold(OwnedHeaders::new_with_capacity(list.len()), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}

/// Names and values of headers, as a consumer reads them.
#[must_use]
pub fn pairs(headers: &OwnedHeaders) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
}

/// Headers from names and values, as a consumer reads them.
#[must_use]
pub fn from_pairs(list: &[(String, Vec<u8>)]) -> OwnedHeaders {
    list.iter().fold(OwnedHeaders::new_with_capacity(list.len()), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}

/// Where a record stands in its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Sends records in order and waits for every acknowledgement; tells where those from the start that were
/// acknowledged stand, and the error of the first that was not: of the record with that number. After an error the
/// producer is used up: what it had in flight is not known, see [`crate::log::is_broken`].
pub async fn send_in_order(producer: &FutureProducer, records: &[Outgoing]) -> (Vec<Place>, Option<KafkaError>) {
    let mut in_flight: VecDeque<DeliveryFuture> = VecDeque::new();
    let mut acknowledged = Vec::with_capacity(records.len());
    for record in records {
        loop {
            let message = FutureRecord::to(&record.topic)
                .key(&record.key)
                .payload(&record.payload)
                .headers(record.headers.clone());
            // The send that retries on a full queue by itself would let a later record overtake.
            let full = in_flight.len() >= WINDOW;
            match if full {
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull))
            } else {
                producer.send_result(message).map_err(|(error, _)| error)
            } {
                Ok(delivery) => {
                    in_flight.push_back(delivery);
                    break;
                }
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) if !in_flight.is_empty() => {
                    if let Err(error) = settle(&mut in_flight, &mut acknowledged).await {
                        return (acknowledged, Some(error));
                    }
                }
                Err(error) => {
                    let earlier = drain(&mut in_flight, &mut acknowledged).await;
                    return (acknowledged, Some(earlier.unwrap_or(error)));
                }
            }
        }
    }
    let error = drain(&mut in_flight, &mut acknowledged).await;
    (acknowledged, error)
}

async fn settle(in_flight: &mut VecDeque<DeliveryFuture>, acknowledged: &mut Vec<Place>) -> Result<(), KafkaError> {
    let Some(delivery) = in_flight.pop_front() else { return Ok(()) };
    match delivery.await {
        Ok(Ok(delivered)) => {
            acknowledged.push(Place { partition: delivered.partition, offset: delivered.offset });
            Ok(())
        }
        Ok(Err((error, _))) => Err(error),
        Err(_) => Err(KafkaError::Canceled),
    }
}

/// Waits for what is in flight; gives the error of the first that is not acknowledged.
async fn drain(in_flight: &mut VecDeque<DeliveryFuture>, acknowledged: &mut Vec<Place>) -> Option<KafkaError> {
    while !in_flight.is_empty() {
        if let Err(error) = settle(in_flight, acknowledged).await {
            return Some(error);
        }
    }
    None
}
