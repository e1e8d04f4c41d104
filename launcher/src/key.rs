//! The key that commands send to write-api and query-api.

use crate::settings::Settings;
use clap::Parser;
use reqwest::header::HeaderMap;

/// The file, below the data folder, of the key of this stack's administrators.
pub const ADMIN_KEY_FILE: &str = "admin.key";

/// The key that a command sends.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct KeyArgs {
    /// Key to send [default: that of the stack that `up` starts here]
    #[arg(long = "key", env = "SOUK_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
}

/// As the command line would give it to a stack.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    settings: Settings,
}

impl KeyArgs {
    /// This key.
    #[must_use]
    pub fn of(key: String) -> Self {
        Self { key: Some(key) }
    }

    /// The headers of every request.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        access::key::header(self.key.clone().or_else(of_stack).as_deref())
    }
}

/// The key of the stack that the settings in the environment name, if there is one.
fn of_stack() -> Option<String> {
    let settings = Defaults::try_parse_from(["souk"]).ok()?.settings;
    std::fs::read_to_string(settings.data_folder().ok()?.join(ADMIN_KEY_FILE)).ok()
}
