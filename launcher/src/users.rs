//! `souk user`: the accounts of a shop's shoppers.

use crate::{
    LaunchError,
    asked::{self, answer},
    key::KeyArgs,
};
use reqwest::{Method, RequestBuilder};
use schemas::Uuid;
use serde_json::Value;

/// List and erase accounts of shoppers
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk user list --tenant my-shop
  souk user erase 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b --tenant my-shop --reason 'Asked for by mail of 30 November'

What is personal is shown nowhere: it is sealed, and read by the person alone. What erasing does: docs/guides/accounts.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List the accounts of a shop, the newest first
    List(ListArgs),
    /// Erase an account for good, on the wish of whose it is, and print the receipt
    Erase(EraseArgs),
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
struct EraseArgs {
    /// The account's id, as `list` shows it
    id: Uuid,
    /// Why, for the shop's audit; at most 500 visible ASCII characters
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    shop: ShopArgs,
    /// Address of write-api
    #[arg(long, env = "SOUK_WRITE_URL", default_value = "http://127.0.0.1:8080")]
    write_url: String,
}

/// Whose accounts, and who asks.
#[derive(Debug, Clone, clap::Args)]
struct ShopArgs {
    /// Slug of the tenant
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    tenant: String,
    #[command(flatten)]
    key: KeyArgs,
}

impl ShopArgs {
    fn request(&self, method: Method, server: &str, path: &str) -> Result<RequestBuilder, LaunchError> {
        Ok(asked::request(&self.key, method, server, path)?.header("x-tenant-slug", &self.tenant))
    }
}

/// Does what is asked, and prints it.
///
/// # Errors
/// What the server said, as a sentence.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    match args.command {
        Command::List(args) => list(args).await,
        Command::Erase(args) => erase(args).await,
    }
}

async fn list(args: ListArgs) -> Result<(), LaunchError> {
    let listed = answer(args.shop.request(Method::GET, &args.query_url, "/v1/users")?, &args.query_url).await?;
    if args.json {
        println!("{listed:#}");
        return Ok(());
    }
    let users = listed["users"].as_array().cloned().unwrap_or_default();
    if users.is_empty() {
        println!("Nobody has an account in {} yet.", args.shop.tenant);
        return Ok(());
    }
    println!("{:<36}  {:<10}  {:<10}  state", "id", "since", "proved");
    for user in users {
        let day = |name: &str| user[name].as_str().map_or("-", |at| at.get(..10).unwrap_or(at)).to_owned();
        let state = if user["erased_at"].is_string() { "erased" } else { "" };
        let id = user["id"].as_str().unwrap_or_default();
        println!("{id:<36}  {:<10}  {:<10}  {state}", day("registered_at"), day("verified_at"));
    }
    Ok(())
}

async fn erase(args: EraseArgs) -> Result<(), LaunchError> {
    let request = args.shop.request(Method::DELETE, &args.write_url, &format!("/v1/users/{}", args.id))?;
    let request = args.reason.iter().fold(request, |request, reason| request.header("souk-reason", reason));
    let erased: Value = answer(request, &args.write_url).await?;
    println!("{:#}\n\nThe receipt, signed:\n{}", erased["receipt"], erased["signed"].as_str().unwrap_or_default());
    Ok(())
}
