//! E-mail addresses.

use std::fmt;

/// The longest address (RFC 5321, 4.5.3.1.3, without the brackets).
const MOST_BYTES: usize = 254;
/// The longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MOST_LOCAL: usize = 64;

/// An e-mail address as it was given, without space around.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

/// Addresses are personal: they stand in no log.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

impl Email {
    /// Reads an address: ASCII, one `@`, a domain with a dot. Whether mail arrives there is found out by sending one.
    ///
    /// # Errors
    /// A sentence that says what an address looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_address = text.len() <= MOST_BYTES
            && text.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if !is_address {
            return Err("an e-mail address such as name@example.com is expected, in ASCII".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The address, as mails are sent to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which an account is found: nobody has two accounts by writing the address in capitals.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The atoms of RFC 5322; quoted ones are no longer in use.
fn is_local(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= MOST_LOCAL && local.split('.').all(is_atom)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}
