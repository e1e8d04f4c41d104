//! How a process proves to Kafka who it is, and how its connections are encrypted.

use clap::{Args, ValueEnum};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// How connections are protected, by Kafka's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Protection {
    /// Neither encrypted nor asked who it is: for loopback and closed networks
    #[default]
    #[value(name = "PLAINTEXT")]
    Plaintext,
    /// Encrypted by TLS
    #[value(name = "SSL")]
    Ssl,
    /// User and password, unencrypted
    #[value(name = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// User and password, encrypted by TLS
    #[value(name = "SASL_SSL")]
    SaslSsl,
}

/// How user and password are sent, by Kafka's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Mechanism {
    /// As they are
    #[value(name = "PLAIN")]
    Plain,
    /// A proof of them (RFC 5802) by SHA-256
    #[value(name = "SCRAM-SHA-256")]
    Scram256,
    /// A proof of them (RFC 5802) by SHA-512
    #[default]
    #[value(name = "SCRAM-SHA-512")]
    Scram512,
}

/// The name of a value as its flag takes it.
fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// A text that is in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Flags of every process that speaks to Kafka.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct KafkaSecurity {
    /// How connections to Kafka are protected
    #[arg(long, env = "SOUK_KAFKA_SECURITY", value_enum, ignore_case = true, default_value = "PLAINTEXT")]
    pub kafka_security: Protection,
    /// How user and password are sent to Kafka
    #[arg(long, env = "SOUK_KAFKA_MECHANISM", value_enum, ignore_case = true, default_value = "SCRAM-SHA-512")]
    pub kafka_mechanism: Mechanism,
    /// User at Kafka
    #[arg(long, env = "SOUK_KAFKA_USER")]
    pub kafka_user: Option<String>,
    /// Password at Kafka; rather in the environment or a file, since every user of the machine can read command lines
    #[arg(long, env = "SOUK_KAFKA_PASSWORD", hide_env_values = true, conflicts_with = "kafka_password_file")]
    pub kafka_password: Option<Secret>,
    /// File with the password at Kafka; it is read again for every new client
    #[arg(long, env = "SOUK_KAFKA_PASSWORD_FILE")]
    pub kafka_password_file: Option<PathBuf>,
    /// PEM file of the authorities that certify Kafka's nodes [default: those of the system]
    #[arg(long, env = "SOUK_KAFKA_CA")]
    pub kafka_ca: Option<PathBuf>,
    /// PEM file of this client's certificate, for clusters that ask for one
    #[arg(long, env = "SOUK_KAFKA_CERTIFICATE", requires = "kafka_key")]
    pub kafka_certificate: Option<PathBuf>,
    /// PEM file of the key of this client's certificate
    #[arg(long, env = "SOUK_KAFKA_KEY", requires = "kafka_certificate")]
    pub kafka_key: Option<PathBuf>,
}

impl KafkaSecurity {
    /// User and password from a file, unencrypted, as the embedded broker wants them.
    #[must_use]
    pub fn by_password(user: &str, file: &Path) -> Self {
        Self {
            kafka_security: Protection::SaslPlaintext,
            kafka_mechanism: Mechanism::Plain,
            kafka_user: Some(user.to_owned()),
            kafka_password_file: Some(file.to_owned()),
            ..Self::default()
        }
    }

    /// The settings of a client by librdkafka's names
    /// (<https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md>).
    ///
    /// # Errors
    /// What is missing, or which file can't be read, in a sentence.
    pub fn client_settings(&self) -> Result<Vec<(&'static str, String)>, String> {
        let mut settings = vec![("security.protocol", name(&self.kafka_security))];
        if matches!(self.kafka_security, Protection::Ssl | Protection::SaslSsl) {
            // Without a file librdkafka looks where systems keep their authorities.
            let authorities = self.kafka_ca.as_deref().map(readable).transpose()?;
            settings.push(("ssl.ca.location", authorities.unwrap_or_else(|| "probe".to_owned())));
            if let (Some(certificate), Some(key)) = (&self.kafka_certificate, &self.kafka_key) {
                settings.push(("ssl.certificate.location", readable(certificate)?));
                settings.push(("ssl.key.location", readable(key)?));
            }
        }
        if matches!(self.kafka_security, Protection::SaslPlaintext | Protection::SaslSsl) {
            let protocol = name(&self.kafka_security);
            let user = self.kafka_user.clone().ok_or_else(|| format!("{protocol} needs --kafka-user"))?;
            let password = self
                .password()?
                .ok_or_else(|| format!("{protocol} needs SOUK_KAFKA_PASSWORD or --kafka-password-file"))?;
            settings.push(("sasl.mechanism", name(&self.kafka_mechanism)));
            settings.extend([("sasl.username", user), ("sasl.password", password)]);
        }
        Ok(settings)
    }

    fn password(&self) -> Result<Option<String>, String> {
        let Some(file) = &self.kafka_password_file else {
            return Ok(self.kafka_password.as_ref().map(|Secret(text)| text.clone()));
        };
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
        Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// The same as variables of the environment of another process.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let optional = [
            ("SOUK_KAFKA_USER", self.kafka_user.clone()),
            ("SOUK_KAFKA_PASSWORD", self.kafka_password.as_ref().map(|Secret(text)| text.clone())),
            ("SOUK_KAFKA_PASSWORD_FILE", path(&self.kafka_password_file)),
            ("SOUK_KAFKA_CA", path(&self.kafka_ca)),
            ("SOUK_KAFKA_CERTIFICATE", path(&self.kafka_certificate)),
            ("SOUK_KAFKA_KEY", path(&self.kafka_key)),
        ];
        [
            ("SOUK_KAFKA_SECURITY", Some(name(&self.kafka_security))),
            ("SOUK_KAFKA_MECHANISM", Some(name(&self.kafka_mechanism))),
        ]
        .into_iter()
        .chain(optional)
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// The path as text, if the file is there: librdkafka would say less.
fn readable(file: &Path) -> Result<String, String> {
    std::fs::metadata(file).map_err(|error| unreadable(file, &error))?;
    Ok(file.display().to_string())
}

fn unreadable(file: &Path, error: &std::io::Error) -> String {
    format!("{} can't be read: {error}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        security: KafkaSecurity,
    }

    fn parsed(flags: &[&str]) -> KafkaSecurity {
        Cli::try_parse_from([&["process"], flags].concat()).expect("flags").security
    }

    #[test]
    fn nothing_is_set_where_nothing_is_asked() {
        let expected = [("security.protocol", "PLAINTEXT".to_owned())];
        assert_eq!(KafkaSecurity::default().client_settings().expect("settings"), expected);
    }

    #[test]
    fn user_and_password_are_sent_by_the_mechanism_and_are_in_no_log() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "from a file\n").expect("written");
        let path = file.path().to_str().expect("a path");
        let scram = ["--kafka-security", "sasl_ssl", "--kafka-user", "souk", "--kafka-password-file", path];
        let settings = parsed(&scram).client_settings().expect("settings");
        for expected in [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", "probe"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "souk"),
            ("sasl.password", "from a file"),
        ] {
            assert!(settings.contains(&(expected.0, expected.1.to_owned())), "{expected:?}");
        }
        let plain = parsed(&["--kafka-security", "SASL_PLAINTEXT", "--kafka-user", "u", "--kafka-password", "hidden"]);
        assert!(plain.client_settings().expect("settings").contains(&("sasl.password", "hidden".to_owned())));
        assert!(!format!("{plain:?}").contains("hidden"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (flags, missing) in [
            (vec!["--kafka-security", "SASL_SSL"], "--kafka-user"),
            (vec!["--kafka-security", "SASL_SSL", "--kafka-user", "u"], "SOUK_KAFKA_PASSWORD"),
            (vec!["--kafka-security", "SSL", "--kafka-ca", "/no/such.pem"], "/no/such.pem"),
        ] {
            let told = parsed(&flags).client_settings().expect_err(missing);
            assert!(told.contains(missing), "{told}");
        }
        let alone = Cli::try_parse_from(["process", "--kafka-certificate", "c.pem"]).expect_err("no key");
        assert!(alone.to_string().contains("--kafka-key"), "{alone}");
    }

    #[test]
    fn another_process_gets_the_same() {
        let own = KafkaSecurity::by_password("souk", Path::new("/run/key"));
        let flags: Vec<String> = own
            .environment()
            .into_iter()
            .map(|(name, value)| {
                let flag = name.trim_start_matches("SOUK_").to_lowercase().replace('_', "-");
                format!("--{flag}={value}")
            })
            .collect();
        assert_eq!(parsed(&flags.iter().map(String::as_str).collect::<Vec<_>>()), own);
    }
}
