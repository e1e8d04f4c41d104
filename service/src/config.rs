//! Configuration: command-line flags over environment variables over one TOML file over defaults.
//!
//! The TOML file has one flat table of settings, named like the flags without the dashes in front
//! (`write-database-url = "..."`), so that one file serves every process: a process takes what it
//! knows and leaves the rest.

use clap::Parser;
use std::ffi::OsString;

/// The file can't be used, or the command line is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by `--config` or `SOUK_CONFIG` can't be read.
    #[error("the configuration file {path} can't be read: {source}. Give another with --config FILE")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not the TOML that is expected.
    #[error("the configuration file {path} is wrong: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The command line is wrong, or help was asked for.
    #[error(transparent)]
    Arguments(#[from] clap::Error),
}

/// Parses the process's own command line; prints what is wrong and exits, as clap does.
#[must_use]
pub fn parse<T: Parser>() -> T {
    match parse_from(std::env::args_os().collect()) {
        Ok(config) => config,
        Err(ConfigError::Arguments(error)) => error.exit(),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
    }
}

/// Parses a command line, first argument the program's name, filling in what the TOML file sets.
///
/// # Errors
/// [`ConfigError`] if the file or the command line is wrong.
pub fn parse_from<T: Parser>(args: Vec<OsString>) -> Result<T, ConfigError> {
    let mut command = T::command();
    if let Some(path) = config_path(&args) {
        let text =
            std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| ConfigError::Invalid { path: path.clone(), reason: error.to_string() })?;
        command = with_defaults(command, &table).map_err(|reason| ConfigError::Invalid { path, reason })?;
    }
    let matches = command.try_get_matches_from(args)?;
    Ok(T::from_arg_matches(&matches)?)
}

/// `--config FILE`, `--config=FILE` or `SOUK_CONFIG`.
fn config_path(args: &[OsString]) -> Option<String> {
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if arg == "--config" {
            return args.next().map(std::borrow::Cow::into_owned);
        }
        if let Some(path) = arg.strip_prefix("--config=") {
            return Some(path.to_owned());
        }
    }
    std::env::var("SOUK_CONFIG").ok().filter(|path| !path.is_empty())
}

/// The file's values become the defaults of the flags of that name, in the command and below it:
/// clap itself then puts environment and command line above them.
fn with_defaults(mut command: clap::Command, table: &toml::Table) -> Result<clap::Command, String> {
    let flags: Vec<_> =
        command.get_arguments().filter_map(|arg| Some((arg.get_id().clone(), arg.get_long()?.to_owned()))).collect();
    for (id, long) in flags {
        let Some(value) = table.get(&long) else { continue };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => value.to_string(),
            _ => return Err(format!("`{long}` must be text, a number or true/false")),
        };
        command = command.mut_arg(id, |arg| arg.default_value(text).required(false));
    }
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let Some(sub) = command.find_subcommand(&name).cloned() else { continue };
        let sub = with_defaults(sub, table)?;
        command = command.mut_subcommand(name, |_| sub);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[derive(Parser, Debug)]
    struct Example {
        #[arg(long)]
        config: Option<String>,
        #[arg(long, default_value = "127.0.0.1:1")]
        listen: String,
        #[arg(long)]
        database_url: String,
    }

    fn args(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "listen = \"127.0.0.1:2\"\ndatabase-url = \"file\"\nunknown = 1").expect("written");
        let path = file.path().to_str().expect("text").to_owned();
        let parsed: Example = parse_from(args(&["x", "--config", &path, "--database-url", "flag"])).expect("parsed");
        assert_eq!((parsed.listen.as_str(), parsed.database_url.as_str()), ("127.0.0.1:2", "flag"));
        assert_eq!(parsed.config.as_deref(), Some(path.as_str()));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = parse_from::<Example>(args(&["x", "--config=/nowhere.toml"])).expect_err("refused").to_string();
        assert!(error.contains("/nowhere.toml"), "{error}");
    }
}
