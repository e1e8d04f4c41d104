//! PostgreSQL over TLS: what a URL asks for holds for every connection, and a server that can't prove who it is gets
//! neither password nor data. The PostgreSQL here has no TLS: a front stands before it.

use acceptance::{
    authority::Authority,
    builders::product_line,
    shop::Shop,
    stack::{TestStack, database},
    tls_front::TlsFront,
};
use launcher::restore::recover;
use reqwest::Url;
use service::database::{Deadlines, PoolOptions};
use std::path::Path;
use test_databases::Side;

/// The same database behind a front, reached by a host's name, with settings of TLS.
fn behind(front: &TlsFront, url: &str, host: &str, settings: &str) -> String {
    let mut url = Url::parse(url).expect("a URL");
    url.set_host(Some(host)).expect("a host");
    url.set_port(Some(front.port())).expect("a port");
    url.set_query(Some(settings));
    url.to_string()
}

async fn front(url: &str, authority: &Authority, host: &str) -> TlsFront {
    let server = Url::parse(url).expect("a URL");
    let server = format!("{}:{}", server.host_str().expect("a host"), server.port().expect("a port"));
    TlsFront::before(server, authority, host).await.expect("a front")
}

fn verified(root: &Path) -> String {
    format!("sslmode=verify-full&sslrootcert={}", root.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_of_a_stack_is_encrypted_if_its_urls_say_so() {
    let mut test = TestStack::prepare(false).await;
    let settings = &mut test.stack.settings;
    let authority = Authority::draw().expect("an authority");
    let root = settings.data_dir.join("root.pem");
    authority.write(&root).expect("written");
    let front = front(&settings.write_url(), &authority, "localhost").await;
    for url in [&mut settings.write_database_url, &mut settings.read_database_url] {
        *url = url.as_deref().map(|url| behind(&front, url, "localhost", &verified(&root)));
    }
    test.stack.migrate().await.expect("migrations are there already");
    test.stack.start_all().await.expect("the stack starts");
    let shop = Shop::open(&test, "encrypted").await;
    let token = shop.bulk_all("products", &[product_line("t-1", "Locked box")]).await;
    assert_eq!(shop.search("locked", &token).await.titles(), ["Locked box"]);
    assert_eq!(front.refused(), 0, "nobody has tried without TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_for_signals_does_it_over_tls() {
    let database = database(Side::Read).await;
    let authority = Authority::draw().expect("an authority");
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root.pem");
    authority.write(&root).expect("written");
    let front = front(&database.url(), &authority, "localhost").await;
    let url = behind(&front, &database.url(), "localhost", &verified(&root));
    let mut heard = service::database::listener(&url).await.expect("connected");
    heard.listen("souk_tls").await.expect("listening");
    let options = PoolOptions {
        max_connections: 1,
        relaxed_durability: false,
        deadlines: Deadlines::REQUESTS,
        application_name: "tls".to_owned(),
    };
    let pool = service::database::pool(&url, &options).expect("a pool");
    sqlx::query("SELECT pg_notify('souk_tls', 'x')").execute(&pool).await.expect("told");
    assert_eq!(heard.recv().await.expect("heard").payload(), "x");

    let plain = behind(&front, &database.url(), "localhost", "sslmode=disable");
    service::database::connect(&plain, Deadlines::REQUESTS).await.expect_err("the front takes TLS alone");
    assert_eq!(front.refused(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_prove_its_name_is_refused_and_told_nothing() {
    let database = database(Side::Read).await;
    let (ours, other) = (Authority::draw().expect("an authority"), Authority::draw().expect("another"));
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root.pem");
    ours.write(&root).expect("written");
    let password = Url::parse(&database.url()).expect("a URL").password().map(str::to_owned);
    let connects = async |authority: &Authority, name: &str, host: &str, settings: &str| {
        let front = front(&database.url(), authority, name).await;
        let url = behind(&front, &database.url(), host, settings);
        let said = recover::text(&url, "SELECT 'reached'").await.map_err(|error| error.to_string());
        if let (Err(said), Some(password)) = (&said, &password) {
            assert!(!said.contains(password), "{said}");
        }
        said
    };
    let verify = verified(&root);
    connects(&ours, "localhost", "localhost", &verify).await.expect("proven");
    let refused = connects(&other, "localhost", "localhost", &verify).await.expect_err("another authority");
    assert!(refused.contains("certificate verify failed"), "{refused}");
    let refused = connects(&ours, "db.example", "localhost", &verify).await.expect_err("another name");
    assert!(refused.contains("hostname mismatch"), "{refused}");
    // An authority alone proves no name, and without one anything goes: what `require` is worth.
    let authority = format!("sslmode=verify-ca&sslrootcert={}", root.display());
    connects(&ours, "db.example", "localhost", &authority).await.expect("of our authority");
    connects(&other, "localhost", "localhost", &authority).await.expect_err("another authority");
    connects(&other, "db.example", "localhost", "sslmode=require").await.expect("encrypted");
}
