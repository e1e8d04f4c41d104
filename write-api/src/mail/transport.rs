//! How a mail leaves the house: to a server by SMTP, or into a folder.

mod folder;
mod message;
mod reason;
mod smtp;

use super::mail_url::{MailUrl, Way};
use lettre::message::Mailbox;
use schemas::Uuid;
use smtp::Smtp;
use std::{path::PathBuf, time::Duration};

/// What one mail may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A mail in plain text to one person.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Makes the Message-ID: who gets the same mail twice can tell.
    pub id: Uuid,
    /// An address without a name.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The body; lines may end in any way.
    pub text: String,
    /// The language's tag, such as `en` or `de-AT` (RFC 5646).
    pub language: Option<String>,
}

/// Shows the id alone: the rest is private, and links in it are as good as passwords.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why there is no [`Mailer`].
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender is no address.
    #[error("the sender of mails is an address such as shop@example.com or Shop <shop@example.com>")]
    From,
    /// TLS can't be set up.
    #[error("TLS for mail can't be set up: {0}")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Why a mail was not sent. The reason is for logs: it holds no address, link, code or password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never be taken: the server refused this recipient or content with a 5xx, or the mail can't be written.
    #[error("the mail is refused: {0}")]
    Refused(String),
    /// It may be taken later: a 4xx, no connection, no login, no answer in time. It may have arrived all the same.
    #[error("the mail can't be sent now: {0}")]
    Later(String),
}

/// Sends mails from one address. Each mail has a connection of its own.
#[derive(Debug, Clone)]
pub struct Mailer {
    from: Mailbox,
    exit: Exit,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum Exit {
    Smtp(Smtp),
    Folder(PathBuf),
}

impl Mailer {
    /// What sends from `from`, an address with or without a name. Nothing is connected to yet.
    ///
    /// # Errors
    /// If `from` is no address, or TLS can't be set up.
    pub fn new(url: &MailUrl, from: &str) -> Result<Self, MailError> {
        let from = message::sender(from).ok_or(MailError::From)?;
        let exit = match url.way() {
            Way::Smtp(server) => Exit::Smtp(Smtp::new(server.clone(), from.email.domain()).map_err(MailError::Tls)?),
            Way::Folder(folder) => Exit::Folder(folder.clone()),
        };
        Ok(Self { from, exit, timeout: TIMEOUT })
    }

    /// The same, with another time for each mail than 10 seconds.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends a mail; it is done when the server has taken responsibility for it, or the file is there.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = message::compose(mail, &self.from)?;
        let sent = async {
            match &self.exit {
                Exit::Smtp(smtp) => smtp.send(&message).await,
                Exit::Folder(folder) => folder::put(folder, message.formatted()).await,
            }
        };
        match tokio::time::timeout(self.timeout, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(SendError::Refused(said))) => Err(SendError::Refused(reason::sayable(&said, &mail.text))),
            Ok(Err(SendError::Later(said))) => Err(SendError::Later(reason::sayable(&said, &mail.text))),
            Err(_) => Err(SendError::Later(format!("no answer within {:?}", self.timeout))),
        }
    }
}
