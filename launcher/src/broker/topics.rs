//! The topics of the embedded broker: a list in one file, and a folder of logs for each.

use super::log::Log;
use crate::LaunchError;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::watch;

/// Most partitions a topic may have: each costs an open file.
const MOST_PARTITIONS: usize = 256;
const LONGEST_NAME: usize = 249;
const LIST: &str = "topics.json";

/// A topic with its open logs, in the order of the partitions.
#[derive(Debug, Clone)]
pub struct Topic {
    /// The logs.
    pub partitions: Arc<Vec<Log>>,
    /// The settings it was created with; the broker keeps everything, whatever they say.
    pub settings: BTreeMap<String, String>,
}

impl Topic {
    /// The log of a partition.
    #[must_use]
    pub fn log(&self, partition: i32) -> Option<&Log> {
        self.partitions.get(usize::try_from(partition).ok()?)
    }
}

/// All topics of a data folder.
#[derive(Debug)]
pub struct Topics {
    folder: PathBuf,
    topics: RwLock<BTreeMap<String, Topic>>,
    appended: watch::Sender<u64>,
}

/// A topic could not be created or deleted.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The name has other characters or another length than Kafka allows.
    #[error("a topic's name has 1 to 249 letters, digits, dots, underscores and hyphens")]
    Name,
    /// There is one of that name.
    #[error("the topic exists")]
    Exists,
    /// There is none of that name.
    #[error("there is no such topic")]
    Unknown,
    /// None, or too many.
    #[error("a topic has 1 to {MOST_PARTITIONS} partitions")]
    Partitions,
    /// The folder could not be written.
    #[error("the broker's folder can't be written: {0}")]
    Io(#[from] io::Error),
}

/// A line of the list.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    partitions: usize,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

impl Topics {
    /// Opens the topics in a folder, which is created when it is missing.
    ///
    /// # Errors
    /// If a file can't be read or the list is not one.
    pub fn open(folder: &Path) -> Result<Self, LaunchError> {
        std::fs::create_dir_all(folder).map_err(LaunchError::folder(folder))?;
        let path = folder.join(LIST);
        let listed: BTreeMap<String, Listed> = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| LaunchError::Other(format!("{} can't be read: {error}", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(LaunchError::folder(&path)(error)),
        };
        let mut topics = BTreeMap::new();
        for (name, listed) in listed {
            let topic = open_topic(folder, &name, listed).map_err(LaunchError::folder(folder))?;
            topics.insert(name, topic);
        }
        Ok(Self { folder: folder.to_owned(), topics: RwLock::new(topics), appended: watch::Sender::new(0) })
    }

    /// The topic of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Topic> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The names of all topics.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Creates a topic, or with `validate_only` says whether it could be created.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn create(
        &self,
        name: &str,
        partitions: usize,
        settings: BTreeMap<String, String>,
        validate_only: bool,
    ) -> Result<(), TopicError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > LONGEST_NAME || name.starts_with("..") || name == "." {
            return Err(TopicError::Name);
        }
        if !name.bytes().all(allowed) {
            return Err(TopicError::Name);
        }
        if !(1..=MOST_PARTITIONS).contains(&partitions) {
            return Err(TopicError::Partitions);
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        if topics.contains_key(name) {
            return Err(TopicError::Exists);
        }
        if !validate_only {
            let topic = open_topic(&self.folder, name, Listed { partitions, settings })?;
            topics.insert(name.to_owned(), topic);
            self.save(&topics)?;
        }
        Ok(())
    }

    /// Deletes a topic with its records.
    ///
    /// # Errors
    /// [`TopicError`].
    pub fn delete(&self, name: &str) -> Result<(), TopicError> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.remove(name).ok_or(TopicError::Unknown)?;
        self.save(&topics)?;
        Ok(std::fs::remove_dir_all(self.folder.join(name))?)
    }

    /// Wakes whoever waits for records.
    pub fn tell_of_append(&self) {
        self.appended.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes with each append from now on.
    #[must_use]
    pub fn appends(&self) -> watch::Receiver<u64> {
        self.appended.subscribe()
    }

    fn save(&self, topics: &BTreeMap<String, Topic>) -> io::Result<()> {
        let listed: BTreeMap<_, _> = topics
            .iter()
            .map(|(name, topic)| {
                (name, Listed { partitions: topic.partitions.len(), settings: topic.settings.clone() })
            })
            .collect();
        let beside = self.folder.join("topics.json.new");
        std::fs::write(&beside, serde_json::to_vec_pretty(&listed)?)?;
        std::fs::rename(beside, self.folder.join(LIST))
    }
}

fn open_topic(folder: &Path, name: &str, listed: Listed) -> io::Result<Topic> {
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder)?;
    let logs = (0..listed.partitions).map(|partition| Log::open(&folder.join(format!("{partition}.log"))));
    Ok(Topic { partitions: Arc::new(logs.collect::<io::Result<_>>()?), settings: listed.settings })
}
