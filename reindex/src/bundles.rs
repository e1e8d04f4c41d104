//! `reindex bundle`: release bundles as files.

use crate::{
    context::CommandContext,
    failure::{Failure, Refusal},
    generations,
};
use clap::Subcommand;
use search::bundle::{Bundle, Change, changes};
use std::path::{Path, PathBuf};

/// Commands about bundles.
#[derive(Debug, Clone, Subcommand)]
pub enum BundleCommand {
    /// Print the bundle of a generation, by default the active one
    Show {
        /// The generation
        generation: Option<String>,
        /// Print the bundle that this release ships instead
        #[arg(long, conflicts_with = "generation")]
        shipped: bool,
    },
    /// Check that every setting of a file is known and in its range
    Check {
        /// TOML or JSON
        file: PathBuf,
    },
    /// Show the settings in which two bundles differ, and what each change needs
    Diff {
        /// A file, or a generation
        old: String,
        /// A file, or a generation
        new: String,
    },
}

/// Runs a command about bundles.
///
/// # Errors
/// [`Failure`].
pub async fn run(context: &CommandContext, command: BundleCommand, json: bool) -> Result<String, Failure> {
    match command {
        BundleCommand::Show { shipped: true, .. } => written(&Bundle::default(), json),
        BundleCommand::Show { generation, .. } => {
            let found = match generation {
                Some(name) => generations::named(context, &name).await?,
                None => generations::active(context).await?,
            };
            written(&found.manifest()?.bundle, json)
        }
        BundleCommand::Check { file } => {
            let bundle = read(&file)?;
            Ok(format!("{}: right, {}\n", file.display(), bundle.hash()?))
        }
        BundleCommand::Diff { old, new } => {
            let found = changes(&either(context, &old).await?, &either(context, &new).await?);
            Ok(if json { serde_json::to_string_pretty(&found)? } else { table(&found) })
        }
    }
}

/// A bundle by a file's path or a generation's name.
async fn either(context: &CommandContext, what: &str) -> Result<Bundle, Failure> {
    if what.ends_with(".toml") || what.ends_with(".json") || Path::new(what).exists() {
        return read(Path::new(what));
    }
    Ok(generations::named(context, what).await?.manifest()?.bundle)
}

/// Reads a bundle's file and checks it.
///
/// # Errors
/// With the place of what can't be read, or everything that is out of its range.
pub fn read(file: &Path) -> Result<Bundle, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::File(file.to_owned(), error.to_string()))?;
    parse(&text).map_err(|error| match error {
        Failure::Other(detail) => Failure::File(file.to_owned(), detail),
        other => other,
    })
}

/// Reads a bundle from TOML or JSON and checks it.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Bundle, Failure> {
    let mut unknown = Vec::new();
    let mut note = |path: serde_ignored::Path<'_>| unknown.push(format!("{path}: there is no such setting"));
    let bundle: Bundle = if text.trim_start().starts_with('{') {
        let mut json = serde_json::Deserializer::from_str(text);
        serde_ignored::deserialize(&mut json, &mut note)
            .and_then(|bundle| json.end().map(|()| bundle))
            .map_err(|error| Failure::Other(error.to_string()))?
    } else {
        let toml = toml::Deserializer::parse(text).map_err(|error| Failure::Other(error.to_string()))?;
        serde_ignored::deserialize(toml, &mut note).map_err(|error| Failure::Other(error.to_string()))?
    };
    let out_of_range = bundle.findings().into_iter().map(|(place, detail)| format!("{place}: {detail}"));
    let findings: Vec<String> = unknown.into_iter().chain(out_of_range).collect();
    if findings.is_empty() {
        return Ok(bundle);
    }
    Err(Failure::Refused(Refusal {
        code: "invalid_bundle",
        detail: format!("the bundle `{}` can't be built", bundle.name),
        findings,
    }))
}

fn written(bundle: &Bundle, json: bool) -> Result<String, Failure> {
    if json {
        return Ok(serde_json::to_string_pretty(bundle)?);
    }
    // Through the canonical text, so that 1.2 doesn't become 1.2000000476837158.
    let value: toml::Value = serde_json::from_str(&bundle.canonical()?)?;
    toml::to_string_pretty(&value).map_err(|error| Failure::Other(error.to_string()))
}

/// Changes as a table.
#[must_use]
pub fn table(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "no difference\n".to_owned();
    }
    let line = |change: &Change| {
        let effect = match change.effect {
            search::bundle::Effect::None => "in name only",
            search::bundle::Effect::Queries => "queries",
            search::bundle::Effect::Terms => "every document's terms",
            search::bundle::Effect::Vectors => "every document's vector",
        };
        format!("{:<60} changes {effect}\n", change.to_string())
    };
    changes.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_written_and_read_back_as_toml() {
        let text = written(&Bundle::default(), false).expect("text");
        assert!(text.contains("k1 = 1.2\n"), "{text}");
        assert_eq!(parse(&text).expect("read"), Bundle::default());
        let edited = text.replace("k1 = 1.2", "k1 = 77.0");
        let Err(Failure::Refused(refusal)) = parse(&edited) else { unreachable!("it is out of its range") };
        assert_eq!(refusal.findings, ["ranking.k1: 77 is not from 0 to 10"]);
        for unknown in ["[ranking]\nk7 = 1.0\n", r#"{"ranking":{"k7":1.0}}"#] {
            let Err(Failure::Refused(refusal)) = parse(unknown) else { unreachable!("there is no k7") };
            assert_eq!(refusal.findings, ["ranking.k7: there is no such setting"]);
        }
        assert!(parse("{} {}").is_err(), "one bundle is one document");
    }
}
