//! `souk role`: the roles that a shop defines.

use crate::{
    LaunchError,
    asked::{CommandArgs, ListArgs},
};
use reqwest::Method;
use serde_json::json;

/// Define, list and remove the roles of a shop
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk role define buyers --name Buyers --permission catalog.write --permission pricing.write --tenant my-shop
  souk role list --tenant my-shop
  souk role remove buyers --tenant my-shop

Every shop has staff, owner and admin. Who has which role: souk user. What each permission allows: docs/guides/access.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Define a role, or make it another
    Define(DefineArgs),
    /// List the roles that a shop has defined
    List(ListArgs),
    /// Remove a role; who has it may do nothing by it any more
    Remove(RemoveArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct DefineArgs {
    /// By which it is named: lower-case letters, digits, hyphens
    slug: String,
    /// What people call it [default: the slug]
    #[arg(long)]
    name: Option<String>,
    /// What who has it may do, such as catalog.write
    #[arg(long = "permission", value_name = "PERMISSION", required = true)]
    permissions: Vec<String>,
    #[command(flatten)]
    to: CommandArgs,
}

#[derive(Debug, Clone, clap::Args)]
struct RemoveArgs {
    /// The role's slug
    slug: String,
    #[command(flatten)]
    to: CommandArgs,
}

/// Does what is asked, and prints it.
///
/// # Errors
/// What the server said, as a sentence.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    match args.command {
        Command::Define(args) => define(args).await,
        Command::List(args) => list(args).await,
        Command::Remove(args) => remove(args).await,
    }
}

async fn define(args: DefineArgs) -> Result<(), LaunchError> {
    let DefineArgs { slug, name, permissions, to } = args;
    let asked = json!({"name": name.as_deref().unwrap_or(&slug), "permissions": permissions});
    let answer = to.send(Method::PUT, &format!("/v1/roles/{slug}"), Some(&asked)).await?;
    println!("{}", answer["status"].as_str().unwrap_or_default());
    Ok(())
}

async fn list(args: ListArgs) -> Result<(), LaunchError> {
    let Some(roles) = args.read("/v1/roles", "roles").await? else { return Ok(()) };
    if roles.is_empty() {
        println!("{} has defined no roles; staff, owner and admin are there.", args.shop.tenant);
        return Ok(());
    }
    println!("{:<20}  {:>7}  {:<24}  permissions", "slug", "members", "name");
    for role in roles {
        let of = |name: &str| role[name].as_str().unwrap_or_default().to_owned();
        let permissions = role["permissions"].as_array().into_iter().flatten().filter_map(|one| one.as_str());
        let permissions: Vec<&str> = permissions.collect();
        println!("{:<20}  {:>7}  {:<24}  {}", of("slug"), role["members"], of("name"), permissions.join(", "));
    }
    Ok(())
}

async fn remove(args: RemoveArgs) -> Result<(), LaunchError> {
    let answer = args.to.send(Method::DELETE, &format!("/v1/roles/{}", args.slug), None).await?;
    println!("{}", answer["status"].as_str().unwrap_or_default());
    Ok(())
}
