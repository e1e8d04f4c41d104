//! A mail as it is written on the wire (RFC 5322).

use super::{Mail, SendError};
use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
};
use url::Host;

/// A line has at most 998 characters (RFC 5322, 2.1.1), and a subject of one long word is one line.
const LONGEST_SUBJECT: usize = 500;
/// As long as a language's tag gets in practice (RFC 5646, 4.4.1).
const LONGEST_LANGUAGE: usize = 35;

/// The sender that a text names, if it names one.
pub(super) fn sender(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    if text.contains(char::is_control) {
        return None;
    }
    let named: Mailbox = text.parse().ok()?;
    let email = with_ascii_domain(&named.email)?;
    Some(Mailbox::new(named.name, email))
}

/// Writes a mail; what would add headers of its own is refused.
pub(super) fn compose(mail: &Mail, from: &Mailbox) -> Result<Message, SendError> {
    let refused = |reason: &str| SendError::Refused(reason.to_owned());
    if mail.to.contains(char::is_control) {
        return Err(refused("the recipient's address has control characters"));
    }
    if mail.subject.contains(char::is_control) {
        return Err(refused("the subject has line breaks or other control characters"));
    }
    if mail.subject.chars().count() > LONGEST_SUBJECT {
        return Err(refused("the subject is too long"));
    }
    let to: Option<Address> = mail.to.parse().ok();
    let to = to.as_ref().and_then(with_ascii_domain).ok_or_else(|| refused("the recipient's address is none"))?;
    let mut builder = Message::builder()
        .from(from.clone())
        .to(to.into())
        .subject(mail.subject.clone())
        .date_now()
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    if let Some(language) = &mail.language {
        if !is_language(language) {
            return Err(refused("the language is no tag such as `en`"));
        }
        builder = builder.raw_header(raw("Content-Language", language));
    }
    builder.body(even_line_ends(&mail.text)).map_err(|error| SendError::Refused(error.to_string()))
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn is_language(tag: &str) -> bool {
    tag.len() <= LONGEST_LANGUAGE
        && tag.split('-').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// A return without a line feed is an error on the wire; the library makes both of a line feed.
fn even_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The same address with its domain as servers know it, `xn--..` for other letters than English ones.
fn with_ascii_domain(address: &Address) -> Option<Address> {
    if address.domain().is_ascii() {
        return Some(address.clone());
    }
    match Host::parse(address.domain()).ok()? {
        Host::Domain(domain) => Address::new(address.user(), domain).ok(),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Uuid;

    fn mail() -> Mail {
        Mail {
            id: Uuid::from_u128(7),
            to: "ann@example.com".to_owned(),
            subject: "Hello".to_owned(),
            text: "Hello Ann,\nhow are you?\n".to_owned(),
            language: Some("en".to_owned()),
        }
    }

    fn written(mail: &Mail) -> String {
        let from = sender("Søren's Shop <post@müller.example>").expect("a sender");
        String::from_utf8(compose(mail, &from).expect("composed").formatted()).expect("UTF-8")
    }

    #[test]
    fn a_mail_says_what_it_is() {
        let text = written(&mail());
        for line in [
            "From: =?utf-8?b?U8O4cmVuJ3MgU2hvcA==?= <post@xn--mller-kva.example>",
            "To: ann@example.com",
            "Subject: Hello",
            "Message-ID: <00000000-0000-0000-0000-000000000007@xn--mller-kva.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Language: en",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line} is not in:\n{text}");
        }
        assert!(text.contains("\r\nDate: ") && text.ends_with("\r\n\r\nHello Ann,\r\nhow are you?\r\n"), "{text}");
    }

    #[test]
    fn nobody_adds_headers_through_what_a_mail_is_made_of() {
        for evil in ["x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com", "x\rBcc: eve@example.com", "x\0"] {
            let subject = Mail { subject: evil.to_owned(), ..mail() };
            let to = Mail { to: format!("ann@example.com{evil}"), ..mail() };
            let quoted = Mail { to: format!("\"{evil}\"@example.com"), ..mail() };
            let language = Mail { language: Some(evil.to_owned()), ..mail() };
            let from = sender("post@shop.example").expect("a sender");
            for mail in [subject, to, quoted, language] {
                assert!(matches!(compose(&mail, &from), Err(SendError::Refused(_))), "{evil:?}");
            }
            assert!(sender(&format!("{evil} <post@shop.example>")).is_none(), "{evil:?}");
        }
    }

    #[test]
    fn an_address_that_can_not_be_is_refused() {
        let from = sender("post@shop.example").expect("a sender");
        for to in ["", "ann", "@example.com", "ann@", "Ann <ann@example.com>", "ann@example.com, eve@example.com"] {
            let mail = Mail { to: to.to_owned(), ..mail() };
            assert!(matches!(compose(&mail, &from), Err(SendError::Refused(_))), "{to}");
        }
        assert!(
            written(&Mail { to: "ann@bücher.example".to_owned(), ..mail() }).contains("To: ann@xn--bcher-kva.example")
        );
    }

    #[test]
    fn no_line_is_longer_than_servers_take_and_none_ends_by_half() {
        let text = format!("{}\r.\rend", "word ".repeat(500));
        let written = written(&Mail { subject: "x".repeat(LONGEST_SUBJECT), text, ..mail() });
        assert!(written.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])), "{written}");
    }
}
