//! Where mail is handed over, as a setting: a server's URL, or a folder for development.

use crate::config::Secret;
use clap::builder::ValueParserFactory;
use lettre::transport::smtp::authentication::Credentials;
use percent_encoding::percent_decode_str;
use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};
use url::Url;

/// The port of submission that begins without TLS (RFC 6409).
const SUBMISSION: u16 = 587;
/// The port of submission over TLS (RFC 8314).
const SUBMISSIONS: u16 = 465;

/// Where mail is handed over. Neither its `Debug` nor its `Display` shows who logs in, nor the password.
///
/// * `smtp://user:password@host:port?tls=required|opportunistic|none`, port 587 unless another is named; `required` unless the
///   host is loopback, where it is `none`. With `opportunistic` and `none`, who sits on the wire can read the password.
/// * `smtps://user:password@host:port`, port 465 unless another is named.
/// * `file:/absolute/folder`: each mail becomes a file there.
#[derive(Clone)]
pub struct MailUrl {
    way: Way,
    shown: String,
}

/// The two ways.
#[derive(Debug, Clone)]
pub(super) enum Way {
    Smtp(Server),
    Folder(PathBuf),
}

/// A server that takes mail.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    /// Their `Debug` shows neither of the two.
    pub(super) login: Option<Credentials>,
}

/// When a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// From the first byte.
    Wrapped,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// By STARTTLS if the server offers it.
    Opportunistic,
    /// Never.
    None,
}

/// Why a text is no [`MailUrl`]; it never holds the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailUrlError {
    /// No URL at all.
    #[error("no URL: {0}")]
    Syntax(#[from] url::ParseError),
    /// Another scheme.
    #[error("it begins with smtp://, smtps:// or file:/")]
    Scheme,
    /// A server without a name.
    #[error("the server's host is missing")]
    Host,
    /// A port that none listens on.
    #[error("the port is from 1 to 65535")]
    Port,
    /// One of the two without the other, or not UTF-8.
    #[error("a login has both a user and a password, with reserved characters percent-encoded, as %40 for @")]
    Login,
    /// A path or a fragment on a server, or a query with a folder.
    #[error("nothing but ?tls= follows the server's port, and nothing follows a folder")]
    Rest,
    /// Not one of the three words, or more than one.
    #[error("tls is one of required, opportunistic and none, and is for smtp:// only")]
    Tls,
    /// A folder that is relative, or on another machine.
    #[error("the folder is an absolute path of this machine, as in file:/var/mail")]
    Folder,
}

impl MailUrl {
    /// Whether mails become files.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self.way, Way::Folder(_))
    }

    pub(super) const fn way(&self) -> &Way {
        &self.way
    }
}

impl FromStr for MailUrl {
    type Err = MailUrlError;

    fn from_str(text: &str) -> Result<Self, MailUrlError> {
        let text = text.trim();
        let url = Url::parse(text)?;
        let way = match url.scheme() {
            "smtp" | "smtps" => Way::Smtp(server(&url)?),
            "file" => Way::Folder(folder(&url, text)?),
            _ => return Err(MailUrlError::Scheme),
        };
        Ok(Self { way, shown: without_login(url) })
    }
}

fn server(url: &Url) -> Result<Server, MailUrlError> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailUrlError::Host)?;
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(MailUrlError::Rest);
    }
    let security = security(url, is_loopback(&host))?;
    let usual = if security == Security::Wrapped { SUBMISSIONS } else { SUBMISSION };
    let port = url.port().unwrap_or(usual);
    if port == 0 {
        return Err(MailUrlError::Port);
    }
    Ok(Server { host, port, security, login: login(url)? })
}

fn security(url: &Url, is_loopback: bool) -> Result<Security, MailUrlError> {
    let mut asked = None;
    for (key, word) in url.query_pairs() {
        if key != "tls" {
            return Err(MailUrlError::Rest);
        }
        let word = match &*word {
            "required" => Security::Required,
            "opportunistic" => Security::Opportunistic,
            "none" => Security::None,
            _ => return Err(MailUrlError::Tls),
        };
        if asked.replace(word).is_some() {
            return Err(MailUrlError::Tls);
        }
    }
    match (url.scheme(), asked) {
        ("smtps", None) => Ok(Security::Wrapped),
        ("smtps", Some(_)) => Err(MailUrlError::Tls),
        (_, Some(asked)) => Ok(asked),
        (_, None) if is_loopback => Ok(Security::None),
        (_, None) => Ok(Security::Required),
    }
}

fn login(url: &Url) -> Result<Option<Credentials>, MailUrlError> {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(|part| part.into_owned());
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", _) | (_, None | Some("")) => Err(MailUrlError::Login),
        (user, Some(password)) => {
            let user = decoded(user).map_err(|_| MailUrlError::Login)?;
            let password = decoded(password).map_err(|_| MailUrlError::Login)?;
            Ok(Some(Credentials::new(user, password)))
        }
    }
}

/// `file:mail` would be read as `file:/mail`, so the text is looked at as well.
fn folder(url: &Url, text: &str) -> Result<PathBuf, MailUrlError> {
    if url.query().is_some() || url.fragment().is_some() {
        return Err(MailUrlError::Rest);
    }
    let is_absolute = text.get("file:".len()..).is_some_and(|rest| rest.starts_with('/'));
    url.to_file_path().ok().filter(|_| is_absolute).ok_or(MailUrlError::Folder)
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// The URL with `***` for the login: with some services the user is as secret as the password.
fn without_login(mut url: Url) -> String {
    if !url.username().is_empty() && (url.set_password(None).is_err() || url.set_username("***").is_err()) {
        return format!("{}:***", url.scheme());
    }
    url.into()
}

impl fmt::Display for MailUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for MailUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MailUrl").field(&self.shown).finish()
    }
}

impl ValueParserFactory for MailUrl {
    type Parser = Secret<Self>;

    fn value_parser() -> Secret<Self> {
        Secret::default()
    }
}

#[cfg(test)]
mod tests;
