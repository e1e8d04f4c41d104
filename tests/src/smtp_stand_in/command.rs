//! What clients say (RFC 5321, 4.1.1).

/// The most bytes of a mail.
pub(super) const SIZE: usize = 1024 * 1024;

/// A command with what it is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Helo,
    Ehlo,
    Auth { mechanism: String, initial: Option<String> },
    Mail { from: String, is_eight_bit: bool },
    Rcpt { to: String },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
}

/// The reply to what is no command.
pub(super) type Fault = &'static str;

const UNKNOWN: Fault = "500 5.5.1 unknown command";
const SYNTAX: Fault = "501 5.5.4 syntax error in parameters";
const PARAMETER: Fault = "555 5.5.4 unknown parameter";
const TOO_BIG: Fault = "552 5.3.4 the mail is too big";

/// Reads a line without its end.
pub(super) fn parse(line: &str) -> Result<Command, Fault> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let alone = |command| if rest.is_empty() { Ok(command) } else { Err(SYNTAX) };
    let followed = |command| if rest.is_empty() { Err(SYNTAX) } else { Ok(command) };
    match verb.to_ascii_uppercase().as_str() {
        "HELO" => followed(Command::Helo),
        "EHLO" => followed(Command::Ehlo),
        "AUTH" => auth(rest),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => alone(Command::Data),
        "RSET" => alone(Command::Rset),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => followed(Command::Vrfy),
        "QUIT" => alone(Command::Quit),
        "EXPN" | "HELP" => Err("502 5.5.1 not implemented"),
        _ => Err(UNKNOWN),
    }
}

fn auth(rest: &str) -> Result<Command, Fault> {
    let mut words = rest.split_whitespace().map(str::to_owned);
    let mechanism = words.next().ok_or(SYNTAX)?.to_ascii_uppercase();
    let initial = words.next();
    if words.next().is_some() { Err(SYNTAX) } else { Ok(Command::Auth { mechanism, initial }) }
}

fn mail(rest: &str) -> Result<Command, Fault> {
    let (from, parameters) = path(rest, "FROM:")?;
    if !from.is_empty() && !is_address(from) {
        return Err(SYNTAX);
    }
    let mut is_eight_bit = false;
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("BODY", "7BIT") => is_eight_bit = false,
            ("BODY", "8BITMIME") => is_eight_bit = true,
            ("SIZE", size) if size.parse::<usize>().map_err(|_| SYNTAX)? > SIZE => return Err(TOO_BIG),
            ("SIZE", _) => {}
            _ => return Err(PARAMETER),
        }
    }
    Ok(Command::Mail { from: from.to_owned(), is_eight_bit })
}

fn rcpt(rest: &str) -> Result<Command, Fault> {
    match path(rest, "TO:")? {
        (_, parameters) if !parameters.is_empty() => Err(PARAMETER),
        (to, _) if is_address(to) => Ok(Command::Rcpt { to: to.to_owned() }),
        _ => Err(SYNTAX),
    }
}

/// What stands between the brackets after a word, and what follows them.
fn path<'a>(rest: &'a str, word: &str) -> Result<(&'a str, &'a str), Fault> {
    let begins = rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    let inner = rest.get(word.len()..).filter(|_| begins).and_then(|rest| rest.strip_prefix('<')).ok_or(SYNTAX)?;
    let (path, parameters) = inner.rsplit_once('>').ok_or(SYNTAX)?;
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(SYNTAX);
    }
    Ok((path, parameters.trim()))
}

/// Whether this may be an address (it does not know SMTPUTF8, so it is ASCII).
fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.is_ascii()
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        for (line, command) in [
            ("ehlo shop.example", Command::Ehlo),
            ("MAIL FROM:<>", Command::Mail { from: String::new(), is_eight_bit: false }),
            (
                "mail from:<a@b.example> SIZE=10 body=8bitmime",
                Command::Mail { from: "a@b.example".to_owned(), is_eight_bit: true },
            ),
            ("RCPT TO:<\"a>b\"@c.example>", Command::Rcpt { to: "\"a>b\"@c.example".to_owned() }),
            (
                "AUTH plain AGEAYg==",
                Command::Auth { mechanism: "PLAIN".to_owned(), initial: Some("AGEAYg==".to_owned()) },
            ),
            ("NOOP what ever", Command::Noop),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_gets_the_reply_that_the_standard_has_for_it() {
        for (line, code) in [
            ("", "500"),
            ("SEND", "500"),
            ("EHLO", "501"),
            ("DATA now", "501"),
            ("MAIL FROM:a@b.example", "501"),
            ("MAIL <a@b.example>", "501"),
            ("MAIL FROM:<ab>", "501"),
            ("RCPT TO:<>", "501"),
            ("MAIL FROM:<a@b.example> SIZE=x", "501"),
            ("MAIL FROM:<a@b.example> SIZE=9999999", "552"),
            ("MAIL FROM:<a@b.example> SMTPUTF8", "555"),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER", "555"),
            ("HELP", "502"),
        ] {
            assert_eq!(parse(line).err().and_then(|fault| fault.get(..3)), Some(code), "{line}");
        }
    }
}
