//! `souk tenant delete`: the end of a shop, once its history is kept elsewhere or is not wanted.

use super::{ExportArgs, WriteArgs, export};
use crate::{
    LaunchError,
    asked::{answer, request},
    import::report::grouped,
    settings::Settings,
};
use reqwest::Method;
use std::{io::Write, path::PathBuf};

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk tenant suspend outdoor --reason 'Closed for good'
  souk tenant delete outdoor --export outdoor.ndjson
  souk tenant delete outdoor --without-export --yes

Only a suspended shop is deleted. Nothing of it comes back, but from the export and from backups.")]
pub(super) struct DeleteArgs {
    /// Its slug
    slug: String,
    /// File to write all that ever happened in it to, first; nothing may be there yet
    #[arg(long, value_name = "FILE", required_unless_present = "without_export")]
    export: Option<PathBuf>,
    /// Keep nothing of it
    #[arg(long, conflicts_with = "export")]
    without_export: bool,
    /// Do not ask for the slug once more
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    settings: Settings,
}

/// Exports the shop, asks, and deletes it.
pub(super) async fn run(args: DeleteArgs) -> Result<(), LaunchError> {
    let DeleteArgs { slug, export: file, without_export: _, yes, write, settings } = args;
    if let Some(file) = file {
        // A failure ends here: nothing is deleted that was to be kept.
        let events = export(&ExportArgs { slug: slug.clone(), output: Some(file.clone()), settings }).await?;
        println!("{} events of `{slug}` are in {}", grouped(events), file.display());
    }
    if !yes && !is_typed(&slug)? {
        return Err(LaunchError::Other(format!("that is not `{slug}`; nothing was deleted")));
    }
    let path = format!("/v1/tenants/{slug}?confirm={slug}");
    answer(request(&write.key, Method::DELETE, &write.write_url, &path)?, &write.write_url).await?;
    println!(
        "`{slug}` is deleted: nobody finds it from now on, and its data go in the background, keys first.\n\
         The slug can be taken again once they are gone; `souk tenant create {slug}` says if they are not."
    );
    Ok(())
}

fn is_typed(slug: &str) -> Result<bool, LaunchError> {
    let failed = |error: std::io::Error| LaunchError::Other(error.to_string());
    print!("Type `{slug}` to delete the shop for good: ");
    std::io::stdout().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim() == slug)
}
