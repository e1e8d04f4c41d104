//! The key that commands send to write-api and query-api.

use crate::settings::Settings;
use reqwest::header::HeaderMap;
use url::{Host, Url};

/// The file, below the data folder, of the key of this stack's administrators.
pub const ADMIN_KEY_FILE: &str = "admin.key";

/// The key that a command sends.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct KeyArgs {
    /// Key to send [default: that of the stack that `up` starts here, for servers on this machine]
    #[arg(long = "key", env = "SOUK_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
}

impl KeyArgs {
    /// This key.
    #[must_use]
    pub fn of(key: String) -> Self {
        Self { key: Some(key) }
    }

    /// The headers of every request to these servers. The key of the stack goes to this machine alone: whoever named
    /// another one names its key, too.
    #[must_use]
    pub fn headers(&self, servers: &[&str]) -> HeaderMap {
        let of_stack = || of_stack().filter(|_| servers.iter().all(|server| is_here(server)));
        access::key::header(self.key.clone().or_else(of_stack).as_deref())
    }
}

/// The key of the stack that the settings in the environment name, if there is one.
fn of_stack() -> Option<String> {
    let settings = Settings::from_environment().ok()?;
    std::fs::read_to_string(settings.data_folder().ok()?.join(ADMIN_KEY_FILE)).ok()
}

/// Whether a server is on this machine.
fn is_here(server: &str) -> bool {
    match Url::parse(server).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_found_is_for_this_machine_alone() {
        for here in ["http://127.0.0.1:8080", "http://localhost:8081/", "http://[::1]:8080", "https://demo.localhost"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in
            ["https://shop.example", "http://10.0.0.1:8080", "http://127.0.0.1.evil.example", "127.0.0.1:8080", ""]
        {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
        let named = KeyArgs::of("named".to_owned()).headers(&["https://shop.example"]);
        assert_eq!(named["authorization"], "Bearer named", "a key that was named goes where it was meant to");
    }
}
