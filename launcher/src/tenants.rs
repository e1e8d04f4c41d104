//! `souk tenant`: the shops of an installation.

use crate::{
    LaunchError,
    asked::{answer, request},
    key::KeyArgs,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Open, suspend, resume and list the tenants of an installation
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk tenant create outdoor --name 'Outdoor shop'
  souk tenant suspend outdoor --reason 'Unpaid since June'
  souk tenant resume outdoor
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
    let (write, method, path, body, [done, already]) = match args.command {
        Command::List(args) => return list(args).await,
        Command::Create { slug, name, write } => {
            let body = json!({"name": name.unwrap_or_else(|| slug.clone())});
            (write, Method::PUT, format!("/v1/tenants/{slug}"), body, ["is open", "was open before"])
        }
        Command::Suspend { slug, reason, write } => {
            let path = format!("/v1/tenants/{slug}/suspend");
            (write, Method::POST, path, json!({"reason": reason}), ["is suspended", "was suspended before"])
        }
        Command::Resume { slug, write } => {
            let path = format!("/v1/tenants/{slug}/resume");
            (write, Method::POST, path, Value::Null, ["is open again", "was open"])
        }
    };
    let request = request(&write.key, method, &write.write_url, &path)?;
    let request = if body.is_null() { request } else { request.json(&body) };
    let answer = answer(request, &write.write_url).await?;
    let slug = path.split('/').nth(3).unwrap_or_default();
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
        println!("{:<24} {}  {}{state}", of("slug"), of("id"), of("name"));
    }
    Ok(())
}
