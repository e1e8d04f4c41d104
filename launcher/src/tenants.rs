//! `souk tenant`: the shops of an installation.

mod delete;
mod export;
mod quotas;

pub use export::{ExportArgs, run as export};

use crate::{
    LaunchError,
    asked::{answer, request},
    import::report::grouped,
    key::KeyArgs,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Open, suspend, resume, limit, delete and list the tenants of an installation
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk tenant create outdoor --name 'Outdoor shop'
  souk tenant suspend outdoor --reason 'Unpaid since June'
  souk tenant resume outdoor
  souk tenant origins outdoor https://outdoor.example https://www.outdoor.example
  souk tenant origins outdoor --none
  souk tenant quotas outdoor --products 10000 --storage-mib 512
  souk tenant export outdoor --output outdoor.ndjson
  souk tenant delete outdoor --export outdoor.ndjson
  souk tenant list

The administrators' key is needed. A suspended shop is closed to everybody but them, and loses nothing.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Open a shop, unless it is open
    Create {
        /// The name in addresses: lower-case letters, digits, hyphens
        slug: String,
        /// The name people read [default: the slug]
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Close a shop for the time being, within 5 seconds on every node
    Suspend {
        /// Its slug
        slug: String,
        /// Why, for its people
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Open a suspended shop again
    Resume {
        /// Its slug
        slug: String,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Say which web pages may read the shop's answers (CORS), within 5 seconds on every node
    Origins {
        /// Its slug
        slug: String,
        /// Origins as browsers send them, such as https://shop.example; they take the place of those that were named
        #[arg(required_unless_present = "none", value_name = "ORIGIN")]
        origins: Vec<String>,
        /// Name none: pages of every origin may read, and none may command
        #[arg(long, conflicts_with = "origins")]
        none: bool,
        #[command(flatten)]
        write: WriteArgs,
    },
    /// Say how much the shop may have and ask for, or show it and what it has
    Quotas(quotas::QuotasArgs),
    /// Delete a suspended shop with all its data
    Delete(Box<delete::DeleteArgs>),
    /// Write all that ever happened in a shop, an event a line (CloudEvents in JSON)
    Export(Box<ExportArgs>),
    /// List the first thousand by slug
    List(ListArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct WriteArgs {
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    write_url: String,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Clone, clap::Args)]
struct ListArgs {
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    query_url: String,
    #[command(flatten)]
    key: KeyArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does what is asked, and prints it.
///
/// # Errors
/// What the server said, as a sentence.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    let (slug, write, (method, path), body, [done, already]) = match args.command {
        Command::List(args) => return list(args).await,
        Command::Quotas(args) => return quotas::run(args).await,
        Command::Delete(args) => return delete::run(*args).await,
        Command::Export(args) => {
            let events = export(&args).await?;
            eprintln!("{} events of `{}`", grouped(events), args.slug);
            return Ok(());
        }
        Command::Create { slug, name, write } => {
            let body = json!({"name": name.unwrap_or_else(|| slug.clone())});
            let to = (Method::PUT, format!("/v1/tenants/{slug}"));
            (slug, write, to, body, ["is open", "was open before"])
        }
        Command::Suspend { slug, reason, write } => {
            let to = (Method::POST, format!("/v1/tenants/{slug}/suspend"));
            (slug, write, to, json!({"reason": reason}), ["is suspended", "was suspended before"])
        }
        Command::Resume { slug, write } => {
            let to = (Method::POST, format!("/v1/tenants/{slug}/resume"));
            (slug, write, to, Value::Null, ["is open again", "was open"])
        }
        Command::Origins { slug, origins, none: _, write } => {
            let to = (Method::PUT, format!("/v1/origins?tenant={slug}"));
            let said = ["names these origins", "named these origins before"];
            (slug, write, to, json!({"origins": origins}), said)
        }
    };
    let request = request(&write.key, method, &write.write_url, &path)?;
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = answer(request, &write.write_url).await?;
    println!("`{slug}` {}", if answer["status"] == "unchanged" { already } else { done });
    Ok(())
}

async fn list(args: ListArgs) -> Result<(), LaunchError> {
    let request = request(&args.key, Method::GET, &args.query_url, "/v1/console/tenants")?;
    let found = answer(request, &args.query_url).await?;
    if args.json {
        println!("{found:#}");
        return Ok(());
    }
    for tenant in found["tenants"].as_array().into_iter().flatten() {
        let of = |name: &str| tenant[name].as_str().unwrap_or_default();
        let state =
            if of("suspended").is_empty() { String::new() } else { format!("  suspended: {}", of("suspended")) };
        let named: Vec<&str> = tenant["origins"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let origins = if named.is_empty() { String::new() } else { format!("  read by: {}", named.join(", ")) };
        let quotas = quotas::said(&tenant["quotas"]).map(|said| format!("  quotas: {said}")).unwrap_or_default();
        println!("{:<24} {}  {}{state}{origins}{quotas}", of("slug"), of("id"), of("name"));
    }
    Ok(())
}
