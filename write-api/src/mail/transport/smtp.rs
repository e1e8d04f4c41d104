//! A mail to a server (RFC 5321).

use super::SendError;
use crate::mail::mail_url::{Security, Server};
use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::DEFAULT_MECHANISMS,
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Severity,
    },
};
use std::time::Duration;

/// What a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A server, and how it is spoken to.
#[derive(Clone)]
pub(super) struct Smtp {
    server: Server,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).field("hello", &self.hello).finish_non_exhaustive()
    }
}

impl Smtp {
    /// A server that is greeted in the name of a domain.
    pub(super) fn new(server: Server, domain: &str) -> Result<Self, Error> {
        let tls = match server.security {
            Security::None => None,
            _ => Some(TlsParameters::new(server.host.clone())?),
        };
        Ok(Self { server, tls, hello: ClientId::Domain(domain.to_owned()) })
    }

    /// Hands a mail over. Whoever gives up waiting closes the connection: on one that is used again, the answer to this
    /// mail would be taken for the answer to the next.
    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        // What the server has against us says nothing about this mail, so a 5xx here is not the end of it.
        let mut connection = self.connect().await.map_err(|error| SendError::Later(error.to_string()))?;
        hand_over(&mut connection, message).await?;
        tokio::spawn(async move {
            // The mail is the server's already.
            let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        });
        Ok(())
    }

    /// Connects, encrypts, and logs in.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let Server { host, port, security, login } = &self.server;
        let wrapped = if *security == Security::Wrapped { self.tls.clone() } else { None };
        let address = (host.as_str(), *port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, wrapped, None).await?;
        if let Some(tls) = &self.tls {
            let begins = match security {
                Security::Required => true,
                Security::Opportunistic => connection.can_starttls(),
                Security::Wrapped | Security::None => false,
            };
            if begins {
                connection.starttls(tls.clone(), &self.hello).await?;
            }
        }
        if let Some(login) = login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}

async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), SendError> {
    let envelope = message.envelope();
    let mut parameters = Vec::new();
    if !envelope.to().iter().chain(envelope.from()).all(|address| address.to_string().is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::Refused("the server takes no address with other letters than ASCII".to_owned()));
        }
        parameters = vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)];
    }
    let begin = Mail::new(envelope.from().cloned(), parameters);
    // The server does not know the recipient yet: it has something against the sender.
    connection.command(begin).await.map_err(|error| SendError::Later(error.to_string()))?;
    for recipient in envelope.to() {
        connection.command(Rcpt::new(recipient.clone(), Vec::new())).await.map_err(|error| refusal(&error))?;
    }
    connection.command(Data).await.map_err(|error| refusal(&error))?;
    let answer = connection.message(&message.formatted()).await.map_err(|error| refusal(&error))?;
    // "Go on" is no answer to a mail: the two have lost step, and nobody knows what became of it.
    if answer.code().severity != Severity::PositiveCompletion {
        return Err(SendError::Later(format!("the server answered {} to a whole mail", answer.code())));
    }
    Ok(())
}

fn refusal(error: &Error) -> SendError {
    if error.is_permanent() { SendError::Refused(error.to_string()) } else { SendError::Later(error.to_string()) }
}
