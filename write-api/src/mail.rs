//! How mail leaves the house, whatever it is about.

pub mod mail_url;
pub mod transport;

pub use mail_url::MailUrl;
pub use transport::{Mail, MailError, Mailer, SendError};
