//! The requests about topics, producers and the broker itself.

use super::{
    Broker, NODE_ID,
    connection::{ConnectionError, Request},
    topics::{Topic, TopicError},
};
use bytes::BytesMut;
use kafka_protocol::{
    error::ResponseError,
    messages::{
        BrokerId, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
        FindCoordinatorRequest, FindCoordinatorResponse, InitProducerIdRequest, InitProducerIdResponse,
        MetadataRequest, MetadataResponse, TopicName,
        create_topics_request::CreatableTopic,
        create_topics_response::CreatableTopicResult,
        delete_topics_response::DeletableTopicResult,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
    protocol::StrBytes,
};

const NODE: BrokerId = BrokerId(NODE_ID);

/// Which topics there are, and that this node leads them all.
pub fn metadata(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: MetadataRequest = request.decode()?;
    // An empty list meant all topics in the oldest version; later ones leave the list out.
    let named = asked.topics.filter(|topics| request.version > 0 || !topics.is_empty());
    let names: Vec<String> = match named {
        Some(topics) => topics.into_iter().filter_map(|topic| topic.name).map(|name| name.to_string()).collect(),
        None => broker.topics.names(),
    };
    let topics = names.into_iter().map(|name| describe(broker.topics.get(&name), name)).collect();
    let node = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(StrBytes::from_string(broker.address.ip().to_string()))
        .with_port(i32::from(broker.address.port()));
    request.encode(
        &MetadataResponse::default()
            .with_brokers(vec![node])
            .with_cluster_id(Some(StrBytes::from_static_str("souk")))
            .with_controller_id(NODE)
            .with_topics(topics),
    )
}

fn describe(topic: Option<Topic>, name: String) -> MetadataResponseTopic {
    let described = MetadataResponseTopic::default().with_name(Some(topic_name(name)));
    let Some(topic) = topic else { return described.with_error_code(ResponseError::UnknownTopicOrPartition.code()) };
    let partitions = (0_i32..).zip(topic.partitions.iter()).map(|(partition, _)| {
        MetadataResponsePartition::default()
            .with_partition_index(partition)
            .with_leader_id(NODE)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    });
    described.with_partitions(partitions.collect())
}

/// This node coordinates every group. Groups are not kept: souk's consumers hold their own offsets.
pub fn find_coordinator(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let _: FindCoordinatorRequest = request.decode()?;
    request.encode(
        &FindCoordinatorResponse::default()
            .with_node_id(NODE)
            .with_host(StrBytes::from_string(broker.address.ip().to_string()))
            .with_port(i32::from(broker.address.port())),
    )
}

/// Creates topics.
pub fn create_topics(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: CreateTopicsRequest = request.decode()?;
    let results = asked.topics.into_iter().map(|topic| create_topic(broker, topic, asked.validate_only));
    request.encode(&CreateTopicsResponse::default().with_topics(results.collect()))
}

fn create_topic(broker: &Broker, topic: CreatableTopic, validate_only: bool) -> CreatableTopicResult {
    // -1 leaves the number to the broker.
    let partitions = if topic.num_partitions == -1 { 1 } else { usize::try_from(topic.num_partitions).unwrap_or(0) };
    let settings = topic
        .configs
        .iter()
        .map(|setting| (setting.name.to_string(), setting.value.as_deref().unwrap_or_default().to_owned()))
        .collect();
    let outcome = broker.topics.create(&topic.name, partitions, settings, validate_only);
    let result = CreatableTopicResult::default()
        .with_name(topic.name)
        .with_num_partitions(i32::try_from(partitions).unwrap_or_default())
        .with_replication_factor(1);
    match outcome {
        Ok(()) => result,
        Err(error) => result
            .with_error_code(code(&error).code())
            .with_error_message(Some(StrBytes::from_string(error.to_string()))),
    }
}

/// Deletes topics.
pub fn delete_topics(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: DeleteTopicsRequest = request.decode()?;
    let results = asked.topic_names.into_iter().map(|name| {
        let outcome = broker.topics.delete(&name);
        let result = DeletableTopicResult::default().with_name(Some(name));
        match outcome {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(code(&error).code())
                .with_error_message(Some(StrBytes::from_string(error.to_string()))),
        }
    });
    request.encode(&DeleteTopicsResponse::default().with_responses(results.collect()))
}

fn code(error: &TopicError) -> ResponseError {
    match error {
        TopicError::Name => ResponseError::InvalidTopicException,
        TopicError::Exists => ResponseError::TopicAlreadyExists,
        TopicError::Unknown => ResponseError::UnknownTopicOrPartition,
        TopicError::Partitions => ResponseError::InvalidPartitions,
        TopicError::Io(_) => ResponseError::KafkaStorageError,
    }
}

/// A number for an idempotent producer; there are no transactional ones.
pub fn init_producer_id(broker: &Broker, request: &mut Request) -> Result<BytesMut, ConnectionError> {
    let asked: InitProducerIdRequest = request.decode()?;
    let answer = InitProducerIdResponse::default();
    request.encode(&if asked.transactional_id.is_some() {
        answer.with_error_code(ResponseError::TransactionalIdAuthorizationFailed.code()).with_producer_id((-1).into())
    } else {
        answer.with_producer_id(broker.new_producer_id().into()).with_producer_epoch(0)
    })
}

fn topic_name(name: String) -> TopicName {
    TopicName(StrBytes::from_string(name))
}
