//! A stand-in for a mail server: it speaks SMTP (RFC 5321) on loopback without TLS, keeps what it is given, and fails when
//! told to. It is as strict as the strictest: a bare line feed, a line over 1000 bytes, or eight bits that nobody announced
//! are refused.

mod command;
mod mime;
mod session;

use base64::{Engine, engine::general_purpose::STANDARD};
use session::Session;
use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

/// A mail that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The envelope's sender; empty for a bounce.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The body, decoded, with lines that end in `\n`, and without empty lines at its end. Parts are not taken apart.
    pub text: String,
    /// What came after DATA, without the stuffed dots.
    pub raw: String,
}

impl Received {
    fn new(from: String, to: Vec<String>, raw: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let subject = mime::header(&raw, "Subject").map(|subject| mime::decoded_words(&subject)).unwrap_or_default();
        Self { from, to, subject, text: mime::text(&raw), raw }
    }

    /// The value of a header on one line, as it was sent, if it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        mime::header(&self.raw, name)
    }
}

/// What the sessions of a server share.
#[derive(Debug, Default)]
struct State {
    mails: Vec<Received>,
    fails: Option<(usize, String)>,
    hang_ups: usize,
    /// What AUTH PLAIN has to say, if one has to log in.
    login: Option<String>,
}

/// A running server; it ends with this value, and with it all its connections.
pub struct SmtpStandIn {
    port: u16,
    user_info: String,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl SmtpStandIn {
    /// A server that takes mail from anybody. It needs a runtime around it.
    ///
    /// # Errors
    /// If it can't listen.
    pub fn start() -> io::Result<Self> {
        Self::with(State::default(), String::new())
    }

    /// A server where one has to log in first, with letters and digits.
    ///
    /// # Errors
    /// If it can't listen.
    pub fn start_with_login(user: &str, password: &str) -> io::Result<Self> {
        let login = STANDARD.encode(format!("\0{user}\0{password}"));
        Self::with(State { login: Some(login), ..State::default() }, format!("{user}:{password}@"))
    }

    fn with(state: State, user_info: String) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let listener = TcpListener::from_std(listener)?;
        let state = Arc::new(Mutex::new(state));
        let accepting = tokio::spawn(accept(listener, state.clone()));
        Ok(Self { port, user_info, state, accepting })
    }

    /// Where it listens, with the login if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}127.0.0.1:{}?tls=none", self.user_info, self.port)
    }

    /// The mails that it took, the first first.
    #[must_use]
    pub fn mails(&self) -> Vec<Received> {
        lock(&self.state).mails.clone()
    }

    /// The next `n` mails are not kept and get this reply when they are whole, such as `451 try later`. A reply of more
    /// lines has a dash after the code in all but the last. It takes the place of what was set before.
    pub fn fail_next(&self, n: usize, reply: &str) {
        lock(&self.state).fails = Some((n, reply.to_owned()));
    }

    /// The next `n` mails that do not fail are kept, and the connection is closed instead of a reply.
    pub fn hang_up_next(&self, n: usize) {
        lock(&self.state).hang_ups = n;
    }
}

impl Drop for SmtpStandIn {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The sessions belong to this task, and end when it does.
async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut sessions = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while sessions.try_join_next().is_some() {}
        let session = Session::new(client, state.clone());
        sessions.spawn(async move {
            // Whoever hangs up has nobody to tell.
            let _ = session.serve().await;
        });
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
