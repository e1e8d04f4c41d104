//! The processes of a fleet by name.

/// A process of the fleet; nodes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// The Kafka-protocol broker.
    Broker,
    /// Commands.
    WriteApi,
    /// Relay, views and the index copy of a node.
    Projector(usize),
    /// Queries on the index copy of a node.
    QueryApi(usize),
}

impl Member {
    /// The name of the process, its log and its record.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Broker => "broker".to_owned(),
            Self::WriteApi => "write-api".to_owned(),
            Self::Projector(node) => format!("projector-{}", node + 1),
            Self::QueryApi(node) => format!("query-api-{}", node + 1),
        }
    }

    /// Whether another process does its work while it is away.
    #[must_use]
    pub const fn has_standby(self) -> bool {
        matches!(self, Self::Projector(_) | Self::QueryApi(_))
    }
}
