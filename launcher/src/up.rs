//! `souk up`: from whatever is there to a running system with a first search answered.

use crate::{
    LaunchError,
    backup::safe_url,
    demo,
    key::KeyArgs,
    people::{self, INSTALLATION, Person},
    restore::recover,
    settings::Settings,
    stack::{Service, Stack},
};
use schemas::token::{TOKEN_HEADER, WAIT_HEADER};
use serde_json::Value;
use std::{path::PathBuf, time::Instant};

/// Start everything that is not running, and print the addresses
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  souk up --demo\n  souk up --data-dir /srv/souk --write-listen 127.0.0.1:9080\n  souk up --kafka-brokers kafka:9092 --write-database-url postgres://souk@db/souk_write --read-database-url postgres://souk@db/souk_read"
)]
pub struct Args {
    /// Where everything is.
    #[command(flatten)]
    pub settings: Settings,
    /// Slug of the tenant; created if it does not exist
    #[arg(long, env = "SOUK_TENANT", default_value = "demo")]
    pub tenant: String,
    /// Load the generated demo catalog, unless it is loaded already
    #[arg(long)]
    pub demo: bool,
    /// Stay in the foreground; Ctrl-C stops everything
    #[arg(long)]
    pub foreground: bool,
}

/// Brings the stack up.
///
/// # Errors
/// The first thing that does not work, as a sentence that says what to do.
pub async fn run(args: Args, programs: PathBuf) -> Result<(), LaunchError> {
    let began = Instant::now();
    let stack = Stack::new(args.settings.clone(), programs)?;
    prepare(&stack).await?;
    step(began, "starting the processes");
    stack.start_all().await?;
    step(began, &format!("all ready; tenant `{}`", args.tenant));
    let token = create_tenant(&stack, &args.tenant).await?;
    let mut people = vec![people::administrator(&stack).await?];
    if args.demo {
        load_demo(&stack, &args.tenant).await?;
        decide_demo(&stack, &args.tenant).await?;
        promote_demo(&stack, &args.tenant).await?;
        people.extend(people::demo(&stack, &args.tenant).await?);
    }
    print_first_search(&stack, &args.tenant, &token).await;
    print_addresses(&stack, &args.tenant);
    print_people(&stack, &people);
    step(began, "up");
    if args.foreground {
        println!("Ctrl-C stops everything.");
        service::shutdown::Shutdown::on_signals().wait().await;
        stack.stop_all()?;
    }
    Ok(())
}

/// Fetches, initialises and migrates.
async fn prepare(stack: &Stack) -> Result<(), LaunchError> {
    let began = Instant::now();
    if !stack.settings.without_vectors {
        tokio::task::block_in_place(|| stack.artifacts.fetch_model())?;
    }
    if stack.settings.starts_postgres() {
        tokio::task::block_in_place(|| stack.artifacts.fetch_postgres())?;
        if let Some(postgres) = stack.postgres()? {
            step(began, "starting PostgreSQL");
            tokio::task::block_in_place(|| postgres.start())?;
        }
    }
    step(began, "migrating the databases");
    stack.migrate().await?;
    recover::check_partitions(&stack.settings).await
}

/// Creates the shop, unless it is there; gives the consistency token of that.
async fn create_tenant(stack: &Stack, slug: &str) -> Result<String, LaunchError> {
    let url = format!("{}/v1/tenants/{slug}", stack.url(Service::WriteApi));
    let answer = reqwest::Client::new()
        .put(url)
        .bearer_auth(stack.admin_key()?)
        .json(&serde_json::json!({"name": slug}))
        .send()
        .await;
    match answer {
        Ok(answer) if answer.status().is_success() => {
            let answer: Value = answer.json().await.unwrap_or_default();
            Ok(answer["token"].as_str().unwrap_or_default().to_owned())
        }
        Ok(answer) => {
            let said = answer.text().await.unwrap_or_default();
            Err(LaunchError::Other(format!("the tenant `{slug}` could not be created: {said}")))
        }
        Err(error) => Err(LaunchError::Other(format!("the tenant `{slug}` could not be created: {error}"))),
    }
}

async fn load_demo(stack: &Stack, tenant: &str) -> Result<(), LaunchError> {
    let mark = stack.settings.data_dir.join(format!("demo-{tenant}.loaded"));
    if mark.exists() {
        println!("The demo catalog is loaded already.");
        return Ok(());
    }
    let positions = stack.settings.data_dir.join("imports");
    let mut args = demo::Args::of(tenant, &stack.url(Service::WriteApi), &stack.url(Service::QueryApi), positions);
    args.wait = Some(crate::import::WaitFor::Searchable);
    args.key = KeyArgs::of(stack.admin_key()?);
    demo::run(args)
        .await
        .map_err(|error| LaunchError::Other(format!("the demo catalog could not be loaded: {error}")))?;
    std::fs::write(&mark, b"").map_err(LaunchError::folder(&mark))
}

/// Decides what a shop has to decide to sell.
async fn decide_demo(stack: &Stack, tenant: &str) -> Result<(), LaunchError> {
    let key = KeyArgs::of(stack.admin_key()?);
    once(stack, tenant, "settings", demo::settings::decide(&stack.url(Service::WriteApi), &key, tenant)).await
}

/// Defines the promotions of the demo.
async fn promote_demo(stack: &Stack, tenant: &str) -> Result<(), LaunchError> {
    let key = KeyArgs::of(stack.admin_key()?);
    let (write, query) = (stack.url(Service::WriteApi), stack.url(Service::QueryApi));
    once(stack, tenant, "promotions", demo::promotions::define(&write, &query, &key, tenant)).await
}

/// Makes something of the demo, once: what somebody has changed since stays.
async fn once<E: std::fmt::Display>(
    stack: &Stack,
    tenant: &str,
    what: &str,
    made: impl Future<Output = Result<(), E>>,
) -> Result<(), LaunchError> {
    let mark = stack.settings.data_dir.join(format!("demo-{tenant}.{what}"));
    if mark.exists() {
        return Ok(());
    }
    made.await.map_err(|error| LaunchError::Other(format!("the {what} of the demo could not be made: {error}")))?;
    std::fs::write(&mark, b"").map_err(LaunchError::folder(&mark))
}

/// Shows a search with its answer, as soon as the shop has arrived on the read side.
async fn print_first_search(stack: &Stack, tenant: &str, token: &str) {
    let path = "/v1/search?q=wireless+headphones&limit=3";
    // Asked by its address, since not every resolver knows what is below `localhost`.
    let request = reqwest::Client::new().get(format!("{}{path}", stack.url(Service::QueryApi)));
    let shop = shop_url(stack, tenant);
    let request = match &shop {
        Some(_) => request.header("host", format!("{tenant}.{}", stack.settings.shop_domain)),
        None => request.header("x-tenant-slug", tenant).bearer_auth(stack.admin_key().unwrap_or_default()),
    };
    let request = request.header(TOKEN_HEADER, token).header(WAIT_HEADER, "5000");
    let answer = async { request.send().await.ok()?.error_for_status().ok()?.json::<Value>().await.ok() }.await;
    let Some(answer) = answer else { return };
    match &shop {
        Some(shop) => println!("\nA first search: curl '{shop}{path}'"),
        None => println!("\nA first search:"),
    }
    println!("  {} products match", answer["total"]);
    for hit in answer["hits"].as_array().into_iter().flatten() {
        println!("  - {}", hit["title"].as_str().unwrap_or_default());
    }
}

/// Where who has no key shops in a shop.
fn shop_url(stack: &Stack, tenant: &str) -> Option<String> {
    let (domain, port) = (&stack.settings.shop_domain, stack.settings.query_listen.port());
    (!domain.is_empty()).then(|| format!("http://{tenant}.{domain}:{port}"))
}

fn print_addresses(stack: &Stack, tenant: &str) {
    println!("\nwrite-api   {}   (commands; API: /openapi.json)", stack.url(Service::WriteApi));
    println!(
        "query-api   {}   (reads; API: /openapi.json; they need a key, which says whose shop it is)",
        stack.url(Service::QueryApi)
    );
    if let Some(shop) = shop_url(stack, tenant) {
        println!("shop        {shop}   (the same without a key, for shoppers; in a browser: the storefront)");
    }
    if let Ok(key) = stack.admin_key() {
        println!(
            "console     {}/console   (for administrators: sign in with an account, or with the key)",
            stack.url(Service::QueryApi)
        );
        println!(
            "key         {key}   (of administrators: `Authorization: Bearer <key>`; this stack's commands send it)"
        );
    }
    println!("projector   {}   (health and metrics)", stack.url(Service::Projector));
    println!("broker      {}", stack.settings.brokers());
    let postgres = safe_url(&stack.settings.write_url());
    match stack.settings.password_file() {
        Some(file) => println!("postgres    {postgres}   (psql with PGPASSFILE={})", file.display()),
        None => println!("postgres    {postgres}"),
    }
    println!("tenant      {tenant}   (header X-Tenant-Slug: {tenant})");
    if let Ok(mails) = stack.mail_url() {
        println!("mails       {}", safe_url(&mails));
    }
    println!();
}

/// Who can sign in, and where the passwords are.
fn print_people(stack: &Stack, people: &[Person]) {
    println!("To sign in:");
    for Person { shop, email, password_file, has_role } in people {
        let page = match (shop.as_str(), shop_url(stack, shop)) {
            (INSTALLATION, _) | (_, None) => stack.url(Service::QueryApi),
            (_, Some(page)) => page,
        };
        let page = if *has_role { format!("{page}/console") } else { page };
        println!("  {email:<32} shop {shop:<14} password in {}   {page}", password_file.display());
    }
    println!("A role (staff, owner, admin) counts once one-time codes are set up; the console leads there.\n");
}

fn step(began: Instant, what: &str) {
    println!("[{:5.1} s] {what}", began.elapsed().as_secs_f32());
}
