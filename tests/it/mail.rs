//! Mails from the mailer to the stand-in.
#![expect(clippy::panic, reason = "this is how a test fails")]

use acceptance::smtp_stand_in::SmtpStandIn;
use schemas::Uuid;
use std::time::Duration;
use tokio::net::TcpListener;
use write_api::mail::{Mail, Mailer, SendError};

fn mail() -> Mail {
    Mail {
        id: Uuid::now_v7(),
        to: "ann@example.com".to_owned(),
        subject: "Hello".to_owned(),
        text: "Your code is 904417.\n".to_owned(),
        language: None,
    }
}

fn mailer(url: &str) -> Mailer {
    Mailer::new(&url.parse().expect("a URL"), "Müller & Sons <post@shop.example>").expect("a mailer")
}

fn server() -> SmtpStandIn {
    SmtpStandIn::start().expect("a server")
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = server();
    let mailer = mailer(&server.url());
    let text = format!(".\n..two dots\n.{}\n{}\n\n.\nend", "long ".repeat(400), "ü".repeat(1_200));
    let mail = Mail {
        subject: "Grüße von Müller & Sons – für Sie".to_owned(),
        text,
        language: Some("de".to_owned()),
        ..mail()
    };
    mailer.send(&mail).await.expect("sent");
    let mails = server.mails();
    let [received] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((received.from.as_str(), received.to.as_slice()), ("post@shop.example", [mail.to.clone()].as_slice()));
    assert_eq!((&received.subject, &received.text), (&mail.subject, &mail.text));
    assert_eq!(received.header("Message-ID"), Some(format!("<{}@shop.example>", mail.id)));
    assert_eq!(received.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert_eq!(received.header("Content-Language").as_deref(), Some("de"));
    assert!(received.header("Date").is_some() && received.raw.is_ascii());
}

#[tokio::test]
async fn plain_lines_that_begin_with_dots_arrive_too() {
    let server = server();
    for text in [".", "..", ".\n.\n", "a\n.\nb", ".a\n\n..b", "a\r\n.\r\nb\r.\rc", &"x".repeat(3_000), "", "=41 a=b"] {
        mailer(&server.url()).send(&Mail { text: text.to_owned(), ..mail() }).await.expect("sent");
        let received = server.mails().pop().expect("a mail").text;
        assert_eq!(received, text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n'), "{text:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let server = server();
    let mailer = mailer(&server.url());
    server.fail_next(1, "451-4.3.0 try later,\r\n451 4.3.0 please");
    let later = mailer.send(&mail()).await.expect_err("failed");
    assert!(matches!(&later, SendError::Later(reason) if reason.contains("451")), "{later:?}");
    server.fail_next(2, "550 no such person ann@example.com, your code 904417");
    for _ in 0..2 {
        let refused = mailer.send(&mail()).await.expect_err("failed");
        let SendError::Refused(reason) = &refused else { panic!("{refused:?}") };
        assert!(reason.contains("550") && reason.contains("no such person"), "{reason}");
        assert!(!reason.contains("ann@") && !reason.contains("904417"), "{reason}");
    }
    assert_eq!(server.mails(), []);
    mailer.send(&mail()).await.expect("sent");
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_whose_fate_is_unknown_is_sent_again_with_the_same_id() {
    let server = server();
    let mailer = mailer(&server.url());
    server.hang_up_next(1);
    let mail = mail();
    let unknown = mailer.send(&mail).await.expect_err("no answer");
    assert!(matches!(unknown, SendError::Later(_)), "{unknown:?}");
    mailer.send(&mail).await.expect("sent");
    let ids: Vec<_> = server.mails().iter().map(|mail| mail.header("Message-ID")).collect();
    assert!(ids.len() == 2 && ids[0].is_some() && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn when_nobody_listens_a_mail_is_sent_later() {
    let server = server();
    let mailer = mailer(&server.url());
    mailer.send(&mail()).await.expect("sent");
    drop(server);
    let nobody = async {
        loop {
            // The port closes when the task has ended.
            match mailer.send(&mail()).await {
                Err(error) => return error,
                Ok(()) => tokio::task::yield_now().await,
            }
        }
    };
    let error = nobody.await;
    assert!(matches!(error, SendError::Later(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let url = format!("smtp://{}", silent.local_addr().expect("an address"));
    let mailer = mailer(&url).with_timeout(Duration::from_millis(50));
    let error = mailer.send(&mail()).await.expect_err("no answer");
    assert!(matches!(&error, SendError::Later(reason) if reason.contains("50ms")), "{error:?}");
}

#[tokio::test]
async fn a_login_is_given_and_a_wrong_one_holds_mails_back() {
    let server = SmtpStandIn::start_with_login("post", "geheim1").expect("a server");
    mailer(&server.url()).send(&mail()).await.expect("sent");
    for url in [server.url().replace("geheim1", "geheim2"), server.url().replace("post:geheim1@", "")] {
        let error = mailer(&url).send(&mail()).await.expect_err("not logged in");
        assert!(matches!(error, SendError::Later(_)) && !error.to_string().contains("geheim"), "{error:?}");
    }
    assert_eq!(server.mails().len(), 1);
    let shown = format!("{:?}", mailer(&server.url()));
    assert!(!shown.contains("geheim1") && !shown.contains("post\""), "{shown}");
}

#[tokio::test]
async fn without_the_tls_that_is_required_nothing_is_said() {
    let server = server();
    let url = server.url().replace("tls=none", "tls=required");
    assert!(matches!(mailer(&url).send(&mail()).await, Err(SendError::Later(_))));
    assert_eq!(server.mails(), []);
    let url = server.url().replace("tls=none", "tls=opportunistic");
    mailer(&url).send(&mail()).await.expect("sent");
}

#[tokio::test]
async fn what_can_not_be_sent_is_refused_before_anybody_is_asked() {
    let mailer = mailer("smtp://127.0.0.1:1?tls=none");
    for mail in [
        Mail { subject: "a\r\nBcc: eve@example.com".to_owned(), ..mail() },
        Mail { to: "ann@example.com\r\nRCPT TO:<eve@example.com>".to_owned(), ..mail() },
        Mail { to: "nobody".to_owned(), ..mail() },
    ] {
        assert!(matches!(mailer.send(&mail).await, Err(SendError::Refused(_))));
    }
}

#[tokio::test]
async fn an_address_that_the_server_can_not_take_is_refused() {
    let server = server();
    let mailer = mailer(&server.url());
    let error = mailer.send(&Mail { to: "jürgen@example.com".to_owned(), ..mail() }).await.expect_err("no SMTPUTF8");
    assert!(matches!(error, SendError::Refused(_)), "{error:?}");
    mailer.send(&Mail { to: "ann@bücher.example".to_owned(), ..mail() }).await.expect("sent");
    assert_eq!(server.mails()[0].to, ["ann@xn--bcher-kva.example"]);
}

#[tokio::test]
async fn in_a_folder_mails_are_whole_files_in_the_order_of_their_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = folder.path().join("out/box");
    let mailer = mailer(&format!("file:{}", outbox.display()));
    for subject in ["one", "two", "three"] {
        mailer.send(&Mail { subject: subject.to_owned(), ..mail() }).await.expect("written");
    }
    let mut files: Vec<_> =
        std::fs::read_dir(&outbox).expect("read").map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.extension().is_some_and(|extension| extension == "eml")), "{files:?}");
    let read = |file| std::fs::read_to_string(file).expect("read");
    let subjects: Vec<_> = files
        .iter()
        .map(read)
        .filter_map(|text| text.split("\r\nSubject: ").nth(1)?.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(subjects, ["one", "two", "three"]);
    std::fs::remove_dir_all(&outbox).expect("removed");
    std::fs::write(&outbox, "in the way").expect("written");
    assert!(matches!(mailer.send(&mail()).await, Err(SendError::Later(_))));
}
