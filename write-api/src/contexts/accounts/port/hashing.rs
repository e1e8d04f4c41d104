//! Passwords are hashed on threads of their own, a few at once: one takes tens of milliseconds and megabytes.

use crate::{
    passwords::{self, Parameters, PasswordError},
    pipeline::{Error, Failure, Rejection},
};
use schemas::problem::{Code, Problem};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// Requests that wait for a place, for each place there is; one more is told to come again.
const WAITING: usize = 16;

/// The places.
#[derive(Debug, Clone)]
pub(in super::super) struct Hashing {
    parameters: Parameters,
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    decoy: Arc<OnceLock<String>>,
}

impl Default for Hashing {
    fn default() -> Self {
        let places = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            parameters: Parameters::default(),
            places: Arc::new(Semaphore::new(places)),
            queue: Arc::new(Semaphore::new(places * (WAITING + 1))),
            decoy: Arc::default(),
        }
    }
}

impl Hashing {
    /// Refuses a password that is easily guessed; what is personal is easily guessed, too.
    ///
    /// # Errors
    /// The queue is full, or the password is refused.
    pub(in super::super) async fn check(&self, password: &str, personal: Option<&str>) -> Result<(), Error> {
        let (password, personal) = (password.to_owned(), personal.map(str::to_owned));
        let check = move || Ok(passwords::check(&password, &personal.as_deref().into_iter().collect::<Vec<_>>()));
        let checked = self.run(check).await?;
        checked.map_err(|weak| Rejection::invalid_at("/password", weak.to_string()).into())
    }

    /// The hash of a password.
    ///
    /// # Errors
    /// The queue is full, or hashing failed.
    pub(in super::super) async fn hash(&self, password: &str) -> Result<String, Error> {
        let (password, parameters) = (password.to_owned(), self.parameters);
        self.run(move || passwords::hash(&password, &parameters)).await
    }

    /// Whether it is the password of this hash. Without a hash, it takes as long and is not.
    ///
    /// # Errors
    /// As of [`Self::hash`].
    pub(in super::super) async fn is(&self, password: &str, hash: Option<String>) -> Result<bool, Error> {
        let (password, parameters, decoy) = (password.to_owned(), self.parameters, Arc::clone(&self.decoy));
        self.run(move || match hash {
            Some(hash) => passwords::verify(&password, &hash),
            None => {
                let decoy = match decoy.get() {
                    Some(decoy) => decoy,
                    None => {
                        let made = passwords::decoy(&parameters)?;
                        decoy.get_or_init(|| made)
                    }
                };
                passwords::verify(&password, decoy).map(|_| false)
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Error> {
        let Ok(_queued) = self.queue.try_acquire() else {
            let detail = "many are signing in at this moment; try again in a second";
            return Err(Rejection::of(Problem::new(Code::Overloaded).detail(detail)).into());
        };
        let _place = self.places.acquire().await;
        let failed = |what: String| Failure::Unreadable("password", what);
        let done = tokio::task::spawn_blocking(work).await.map_err(|error| failed(error.to_string()))?;
        Ok(done.map_err(|error| failed(error.to_string()))?)
    }
}
