//! `souk key`: the keys of a shop.

use crate::{
    LaunchError,
    asked::{ShopArgs, answer},
};
use access::scoped::{self, Scope};
use reqwest::Method;
use schemas::{Days, TimeDelta, Utc, Uuid, events::access::KeyKind};
use serde_json::{Value, json};

/// Make, list and revoke the keys of a shop
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk key create --kind search --name storefront
  souk key create --kind staff --name stock-sync --permission inventory.write --permission catalog.write --days 90
  souk key create --kind owner --name anna --tenant my-shop
  souk key list --tenant my-shop
  souk key scope souk_search_... 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b --filter 'attr.group:b2b' --hours 1
  souk key revoke 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b

A key is shown once. What it may do, and what each permission allows: docs/guides/access.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Make a key, and print it this once
    Create(CreateArgs),
    /// List the keys of a shop, the newest first
    List(ListArgs),
    /// Make a key none any more, within 5 seconds on every node
    Revoke(RevokeArgs),
    /// Make a scoped key of a search key, for one visitor; no server is asked
    Scope(ScopeArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct ScopeArgs {
    /// The search key
    #[arg(env = "SOUK_SEARCH_KEY", hide_env_values = true)]
    search_key: String,
    /// The search key's id
    id: Uuid,
    /// Products that don't pass it are not there, such as attr.group:b2b
    #[arg(long)]
    filter: Option<String>,
    /// Hours until it expires [default: never]
    #[arg(long)]
    hours: Option<u32>,
    /// Most hits on a page
    #[arg(long, value_name = "HITS")]
    max_hits: Option<usize>,
}

#[derive(Debug, Clone, clap::Args)]
struct CreateArgs {
    /// What the key is for: search, staff or owner
    #[arg(long)]
    kind: KeyKind,
    /// What people call it
    #[arg(long)]
    name: String,
    /// Of a staff key: what it may do, such as catalog.write
    #[arg(long = "permission", value_name = "PERMISSION")]
    permissions: Vec<String>,
    /// Days until it expires [default: never]
    #[arg(long)]
    days: Option<u32>,
    #[command(flatten)]
    shop: ShopArgs,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    write_url: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    shop: ShopArgs,
    /// Address of query-api
    #[arg(long, env = "SOUK_QUERY_URL", default_value = "http://127.0.0.1:8081")]
    query_url: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct RevokeArgs {
    /// The key's id, as `list` shows it
    id: Uuid,
    #[command(flatten)]
    shop: ShopArgs,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    write_url: String,
}

/// Does what is asked, and prints it.
///
/// # Errors
/// What the server said, as a sentence.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    match args.command {
        Command::Create(args) => create(args).await,
        Command::List(args) => list(args).await,
        Command::Revoke(args) => revoke(args).await,
        Command::Scope(args) => scope(args),
    }
}

async fn create(args: CreateArgs) -> Result<(), LaunchError> {
    let expires_at = args.days.and_then(|days| Utc::now().checked_add_days(Days::new(days.into())));
    let asked =
        json!({"name": args.name, "kind": args.kind, "permissions": args.permissions, "expires_at": expires_at});
    let request = args.shop.request(Method::POST, &args.write_url, "/v1/keys")?.json(&asked);
    let made = answer(request, &args.write_url).await?;
    if args.json {
        println!("{made:#}");
    } else {
        let of = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        println!(
            "{}\n\nThis is shown once. To revoke it: souk key revoke {} --tenant {}",
            of("key"),
            of("id"),
            args.shop.tenant
        );
    }
    Ok(())
}

async fn list(args: ListArgs) -> Result<(), LaunchError> {
    let request = args.shop.request(Method::GET, &args.query_url, "/v1/keys")?;
    let found = answer(request, &args.query_url).await?;
    if args.json {
        println!("{found:#}");
        return Ok(());
    }
    let keys = found["keys"].as_array().cloned().unwrap_or_default();
    if keys.is_empty() {
        println!("The tenant `{}` has no keys.", args.shop.tenant);
    }
    for key in keys {
        let of = |name: &str| key[name].as_str().unwrap_or_default();
        let permissions: Vec<&str> =
            key["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let used = match of("last_used") {
            "" => String::new(),
            day => format!("  used {day}"),
        };
        let state = match (of("revoked_at"), of("expires_at")) {
            ("", "") => String::new(),
            ("", at) => format!("  until {at}"),
            (at, _) => format!("  revoked {at}"),
        };
        println!(
            "{}  {:<6} {}…  {}  {}{used}{state}",
            of("id"),
            of("kind"),
            of("hint"),
            of("name"),
            permissions.join(" ")
        );
    }
    Ok(())
}

async fn revoke(args: RevokeArgs) -> Result<(), LaunchError> {
    let request = args.shop.request(Method::DELETE, &args.write_url, &format!("/v1/keys/{}", args.id))?;
    let revoked = answer(request, &args.write_url).await?;
    let was_before = revoked["status"] == "unchanged";
    println!("{} {}", args.id, if was_before { "was revoked before" } else { "is revoked" });
    Ok(())
}

fn scope(args: ScopeArgs) -> Result<(), LaunchError> {
    let expires_at = args.hours.map(|hours| (Utc::now() + TimeDelta::hours(hours.into())).timestamp());
    let scope = Scope { filter: args.filter, expires_at, max_hits: args.max_hits };
    println!("{}", scoped::make(&args.search_key, args.id, &scope).map_err(LaunchError::Other)?);
    Ok(())
}
