//! `souk user`: the accounts of a shop's shoppers and staff.

use crate::{
    LaunchError,
    asked::{CommandArgs, ListArgs},
};
use reqwest::Method;
use schemas::Uuid;
use serde_json::json;

/// List, invite and erase accounts of shoppers and staff, and say who has which role
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  souk user list --tenant my-shop
  souk user invite anna@my-shop.example --role owner --tenant my-shop
  souk user grant 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b buyers --tenant my-shop
  souk user reset-second-factor 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b --reason 'Lost the phone'
  souk user erase 0199a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b --tenant my-shop --reason 'Asked for by mail of 30 November'

A role is staff, owner, admin, or one that the shop has defined (souk role). It counts for who signs in with a one-time code.
What is personal is shown nowhere: it is sealed, and read by the person alone. See docs/guides/staff.md and accounts.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// List the accounts of a shop, the newest first
    List(ListArgs),
    /// Invite somebody by mail; an address that has no account gets one
    Invite(InviteArgs),
    /// Give somebody a role
    Grant(RoleArgs),
    /// Take a role from somebody, within 5 seconds on every node
    Revoke(RoleArgs),
    /// Take away the second factor of somebody who has lost it; their sessions end
    ResetSecondFactor(OneArgs),
    /// Erase an account for good, on the wish of whose it is, and print the receipt
    Erase(OneArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct InviteArgs {
    /// The e-mail address
    email: String,
    /// The role that they get with it [default: none, a shopper]
    #[arg(long)]
    role: Option<String>,
    /// The page that takes the code; its origin has to be one of the shop's
    #[arg(long)]
    return_to: Option<String>,
    /// Send no mail, and print the code instead; for administrators
    #[arg(long)]
    print_code: bool,
    #[command(flatten)]
    to: CommandArgs,
}

#[derive(Debug, Clone, clap::Args)]
struct RoleArgs {
    /// The account's id, as `list` shows it
    id: Uuid,
    /// staff, owner, admin, or the slug of one that the shop has defined
    role: String,
    #[command(flatten)]
    to: CommandArgs,
}

#[derive(Debug, Clone, clap::Args)]
struct OneArgs {
    /// The account's id, as `list` shows it
    id: Uuid,
    #[command(flatten)]
    to: CommandArgs,
}

/// Does what is asked, and prints it.
///
/// # Errors
/// What the server said, as a sentence.
pub async fn run(args: Args) -> Result<(), LaunchError> {
    match args.command {
        Command::List(args) => list(args).await,
        Command::Invite(args) => invite(args).await,
        Command::Grant(args) => grant(args, Method::PUT).await,
        Command::Revoke(args) => grant(args, Method::DELETE).await,
        Command::ResetSecondFactor(args) => reset(args).await,
        Command::Erase(args) => erase(args).await,
    }
}

async fn list(args: ListArgs) -> Result<(), LaunchError> {
    let Some(users) = args.read("/v1/users", "users").await? else { return Ok(()) };
    if users.is_empty() {
        println!("Nobody has an account in {} yet.", args.shop.tenant);
        return Ok(());
    }
    println!("{:<36}  {:<10}  {:<10}  {:<5}  roles", "id", "since", "proved", "codes");
    for user in users {
        let day = |name: &str| user[name].as_str().map_or("-", |at| at.get(..10).unwrap_or(at)).to_owned();
        let roles: Vec<&str> =
            user["roles"].as_array().into_iter().flatten().filter_map(|role| role.as_str()).collect();
        let said = if user["erased_at"].is_string() { "(erased)".to_owned() } else { roles.join(", ") };
        let id = user["id"].as_str().unwrap_or_default();
        let codes = if user["has_second_factor"] == true { "yes" } else { "no" };
        println!("{id:<36}  {:<10}  {:<10}  {codes:<5}  {said}", day("registered_at"), day("verified_at"));
    }
    Ok(())
}

async fn invite(args: InviteArgs) -> Result<(), LaunchError> {
    let asked = json!({
        "email": args.email, "role": args.role, "return_to": args.return_to, "mail": !args.print_code,
    });
    let answer = args.to.send(Method::POST, "/v1/invitations", Some(&asked)).await?;
    match answer["code"].as_str() {
        Some(code) => println!("{code}"),
        None => println!("A mail to {} is on its way; the code in it works once, within a week.", args.email),
    }
    Ok(())
}

async fn grant(args: RoleArgs, method: Method) -> Result<(), LaunchError> {
    let path = format!("/v1/users/{}/roles/{}", args.id, args.role);
    let answer = args.to.send(method, &path, None).await?;
    println!("{}", answer["status"].as_str().unwrap_or_default());
    Ok(())
}

async fn reset(args: OneArgs) -> Result<(), LaunchError> {
    let answer = args.to.send(Method::DELETE, &format!("/v1/users/{}/second-factor", args.id), None).await?;
    println!("{}", answer["status"].as_str().unwrap_or_default());
    Ok(())
}

async fn erase(args: OneArgs) -> Result<(), LaunchError> {
    let erased = args.to.send(Method::DELETE, &format!("/v1/users/{}", args.id), None).await?;
    println!("{:#}\n\nThe receipt, signed:\n{}", erased["receipt"], erased["signed"].as_str().unwrap_or_default());
    Ok(())
}
