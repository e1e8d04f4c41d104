//! One connection, from the greeting to the goodbye.

use super::{
    Received, State,
    command::{self, Command, SIZE},
    lock,
};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// The most bytes of a line of a mail, with its end (RFC 5321, 4.5.3.1.6).
const LONGEST_LINE: usize = 1_000;
/// The most bytes of a command, with its end; a login is longer than others (RFC 4954, 4).
const LONGEST_COMMAND: usize = 12_288;
/// The most recipients of a mail (RFC 5321, 4.5.3.1.8).
const MOST_RECIPIENTS: usize = 100;
const OK: &str = "250 2.0.0 ok";
const OUT_OF_ORDER: &str = "503 5.5.1 not now";

/// A mail of which the text is still to come.
struct Begun {
    from: String,
    is_eight_bit: bool,
    to: Vec<String>,
}

/// A connection, and how far it has come.
pub(super) struct Session {
    client: BufReader<TcpStream>,
    state: Arc<Mutex<State>>,
    is_greeted: bool,
    is_logged_in: bool,
    begun: Option<Begun>,
}

impl Session {
    pub(super) fn new(client: TcpStream, state: Arc<Mutex<State>>) -> Self {
        let is_logged_in = lock(&state).login.is_none();
        Self { client: BufReader::new(client), state, is_greeted: false, is_logged_in, begun: None }
    }

    /// Answers until one of the two hangs up.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        self.reply("220 stand-in.localhost ESMTP").await?;
        while let Some(line) = self.line().await? {
            let parsed = match std::str::from_utf8(&line).ok().and_then(|line| line.strip_suffix("\r\n")) {
                Some(_) if line.len() > LONGEST_COMMAND => Err("500 5.5.2 the line is too long"),
                Some(line) => command::parse(line),
                None => Err("500 5.5.2 a command is a line of text that ends with CR LF"),
            };
            let goes_on = match parsed {
                Ok(Command::Quit) => {
                    self.reply("221 2.0.0 goodbye").await?;
                    false
                }
                Ok(Command::Data) => self.data().await?,
                Ok(Command::Auth { mechanism, initial }) => {
                    self.auth(&mechanism, initial).await?;
                    true
                }
                Ok(command) => {
                    let answer = self.answer(command);
                    self.reply(&answer).await?;
                    true
                }
                Err(fault) => {
                    self.reply(fault).await?;
                    true
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The answer to a command that is about nothing else than the state of the conversation.
    fn answer(&mut self, command: Command) -> String {
        match command {
            Command::Helo | Command::Ehlo => {
                (self.is_greeted, self.begun) = (true, None);
                let login = if lock(&self.state).login.is_some() { "\r\n250-AUTH PLAIN" } else { "" };
                match command {
                    Command::Ehlo => format!("250-stand-in.localhost\r\n250-SIZE {SIZE}{login}\r\n250 8BITMIME"),
                    _ => "250 stand-in.localhost".to_owned(),
                }
            }
            Command::Mail { .. } if !self.is_greeted || self.begun.is_some() => OUT_OF_ORDER.to_owned(),
            Command::Mail { .. } if !self.is_logged_in => "530 5.7.0 log in first".to_owned(),
            Command::Mail { from, is_eight_bit } => {
                self.begun = Some(Begun { from, is_eight_bit, to: Vec::new() });
                OK.to_owned()
            }
            Command::Rcpt { to } => match &mut self.begun {
                None => OUT_OF_ORDER.to_owned(),
                Some(begun) if begun.to.len() >= MOST_RECIPIENTS => "452 4.5.3 too many recipients".to_owned(),
                Some(begun) => {
                    begun.to.push(to);
                    OK.to_owned()
                }
            },
            Command::Rset => {
                self.begun = None;
                OK.to_owned()
            }
            Command::Vrfy => "252 2.5.0 send it and see".to_owned(),
            Command::Noop | Command::Auth { .. } | Command::Data | Command::Quit => OK.to_owned(),
        }
    }

    /// A login (RFC 4954), with what it needs in the command or on a line of its own.
    async fn auth(&mut self, mechanism: &str, initial: Option<String>) -> io::Result<()> {
        let Some(expected) = lock(&self.state).login.clone() else {
            return self.reply("502 5.5.1 nobody logs in here").await;
        };
        if !self.is_greeted || self.is_logged_in || self.begun.is_some() {
            return self.reply(OUT_OF_ORDER).await;
        }
        if mechanism != "PLAIN" {
            return self.reply("504 5.5.4 only PLAIN").await;
        }
        let said = match initial {
            Some(said) => said,
            None => {
                self.reply("334 ").await?;
                let line = self.line().await?.unwrap_or_default();
                String::from_utf8_lossy(&line).trim().to_owned()
            }
        };
        self.is_logged_in = said == expected;
        let answer = match said.as_str() {
            "*" => "501 5.7.0 given up",
            _ if self.is_logged_in => "235 2.7.0 welcome",
            _ => "535 5.7.8 wrong user or password",
        };
        self.reply(answer).await
    }

    /// Takes a mail's text; gives whether the conversation goes on.
    async fn data(&mut self) -> io::Result<bool> {
        let begun = match self.begun.take() {
            Some(begun) if !begun.to.is_empty() => begun,
            other => {
                self.begun = other;
                self.reply(OUT_OF_ORDER).await?;
                return Ok(true);
            }
        };
        self.reply("354 go on, and end with a dot on a line of its own").await?;
        let Some(taken) = self.text(begun.is_eight_bit).await? else { return Ok(false) };
        match taken {
            Ok(raw) => self.keep(begun, &raw).await,
            Err(fault) => self.reply(fault).await.map(|()| true),
        }
    }

    /// What comes before the dot, without the stuffed ones, or why it is refused; nothing if the client hangs up.
    async fn text(&mut self, is_eight_bit: bool) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
        let (mut raw, mut fault) = (Vec::new(), None);
        // A dot ends the mail only where a line begins, and a line ends with both characters.
        let mut begins = true;
        while let Some(line) = self.line().await? {
            if begins && line == b".\r\n" {
                return Ok(Some(fault.map_or(Ok(raw), Err)));
            }
            let stuffed = begins && line.starts_with(b".");
            begins = line.ends_with(b"\r\n");
            let text = line.strip_suffix(b"\r\n").unwrap_or(&line);
            if text.contains(&b'\r') || text.contains(&b'\n') {
                fault = fault.or(Some("550 5.5.2 a line ends with CR LF"));
            } else if line.len() - usize::from(stuffed) > LONGEST_LINE {
                fault = fault.or(Some("500 5.5.2 a line is too long"));
            } else if !is_eight_bit && !line.is_ascii() {
                fault = fault.or(Some("554 5.6.1 eight bits that were not announced"));
            }
            raw.extend_from_slice(&line[usize::from(stuffed)..]);
            if raw.len() > SIZE {
                fault = Some("552 5.3.4 the mail is too big");
                raw.clear();
            }
        }
        Ok(None)
    }

    /// Keeps a mail, or fails, as it was told.
    async fn keep(&mut self, begun: Begun, raw: &[u8]) -> io::Result<bool> {
        let reply = {
            let mut state = lock(&self.state);
            match &mut state.fails {
                Some((left, reply)) if *left > 0 => {
                    *left -= 1;
                    Some(reply.clone())
                }
                _ => {
                    state.mails.push(Received::new(begun.from, begun.to, raw));
                    let hangs_up = state.hang_ups > 0;
                    state.hang_ups = state.hang_ups.saturating_sub(1);
                    (!hangs_up).then(|| "250 2.0.0 taken".to_owned())
                }
            }
        };
        match reply {
            Some(reply) => self.reply(&reply).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// The next line with its end, if the client says one more; it is cut where it is too long for anything.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut cut = (&mut self.client).take(LONGEST_COMMAND as u64 + 1);
        let read = cut.read_until(b'\n', &mut line).await?;
        Ok((read > 0).then_some(line))
    }

    async fn reply(&mut self, lines: &str) -> io::Result<()> {
        self.client.write_all(format!("{lines}\r\n").as_bytes()).await?;
        self.client.flush().await
    }
}
