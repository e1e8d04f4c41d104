#![expect(clippy::panic, reason = "this is how a test fails")]

use super::*;
use clap::Parser;

fn parsed(text: &str) -> MailUrl {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn server_of(text: &str) -> Server {
    match parsed(text).way {
        Way::Smtp(server) => server,
        Way::Folder(folder) => panic!("{text}: {folder:?}"),
    }
}

#[test]
fn a_server_is_spoken_to_over_tls_unless_it_is_on_this_machine_or_one_says_otherwise() {
    for (text, security, port) in [
        ("smtp://mail.example", Security::Required, 587),
        ("smtp://mail.example:2525/?tls=opportunistic", Security::Opportunistic, 2525),
        ("smtp://10.0.0.1?tls=none", Security::None, 587),
        ("smtp://127.0.0.1.evil.example", Security::Required, 587),
        ("smtp://127.0.0.1:1025", Security::None, 1025),
        ("smtp://[::1]:1025", Security::None, 1025),
        ("smtp://LOCALHOST", Security::None, 587),
        ("smtp://localhost?tls=required", Security::Required, 587),
        ("smtps://mail.example", Security::Wrapped, 465),
        ("smtps://127.0.0.1", Security::Wrapped, 465),
    ] {
        let server = server_of(text);
        assert_eq!((server.security, server.port), (security, port), "{text}");
    }
    assert_eq!(server_of("smtp://[::1]").host, "::1");
}

#[test]
fn a_login_is_percent_decoded() {
    let server = server_of("smtps://post%40shop.example:p%3Aa%2Fs%25s@mail.example");
    assert_eq!(server.login, Some(Credentials::new("post@shop.example".to_owned(), "p:a/s%s".to_owned())));
    assert_eq!(server_of("smtp://mail.example").login, None);
}

#[test]
fn a_folder_is_an_absolute_path() {
    for text in ["file:/var/spool/out%20box", "file:///var/spool/out%20box"] {
        match parsed(text).way {
            Way::Folder(folder) => assert_eq!(folder, PathBuf::from("/var/spool/out box")),
            Way::Smtp(server) => panic!("{server:?}"),
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (text, error) in [
        ("mail.example", MailUrlError::Syntax(url::ParseError::RelativeUrlWithoutBase)),
        ("smtp://u:geheim@mail.example:99999", MailUrlError::Syntax(url::ParseError::InvalidPort)),
        ("https://mail.example", MailUrlError::Scheme),
        ("smtp:mail.example", MailUrlError::Host),
        ("smtp://", MailUrlError::Host),
        ("smtp://mail.example:0", MailUrlError::Port),
        ("smtp://user@mail.example", MailUrlError::Login),
        ("smtp://:geheim@mail.example", MailUrlError::Login),
        ("smtp://user:%ff@mail.example", MailUrlError::Login),
        ("smtp://mail.example/folder", MailUrlError::Rest),
        ("smtp://mail.example?password=geheim", MailUrlError::Rest),
        ("smtp://mail.example#tls=none", MailUrlError::Rest),
        ("smtp://mail.example?tls=maybe", MailUrlError::Tls),
        ("smtp://mail.example?tls=required&tls=none", MailUrlError::Tls),
        ("smtps://mail.example?tls=none", MailUrlError::Tls),
        ("file:mail", MailUrlError::Folder),
        ("file://elsewhere/mail", MailUrlError::Folder),
        ("file:/mail?tls=none", MailUrlError::Rest),
    ] {
        assert_eq!(text.parse::<MailUrl>().err(), Some(error), "{text}");
    }
}

#[test]
fn a_login_is_never_shown() {
    let url = parsed("smtp://name:geheim@mail.example:25?tls=none");
    assert_eq!(url.to_string(), "smtp://***@mail.example:25?tls=none");
    for shown in [format!("{url:?}"), format!("{:?}", url.way)] {
        assert!(!shown.contains("geheim") && !shown.contains("name"), "{shown}");
    }
}

#[derive(Debug, Parser)]
struct Flags {
    /// Where mail goes
    #[arg(long)]
    mail_url: Option<MailUrl>,
}

#[test]
fn the_command_line_names_the_flag_and_the_reason_but_not_the_password() {
    let error =
        Flags::try_parse_from(["souk", "--mail-url", "smtp://name:geheim@host?tls=maybe"]).expect_err("refused");
    let said = error.to_string();
    assert!(said.contains("--mail-url") && said.contains("opportunistic") && !said.contains("geheim"), "{said}");
    let flags = Flags::try_parse_from(["souk", "--mail-url", "file:/tmp/mail"]).expect("parsed");
    assert_eq!(flags.mail_url.expect("a URL").to_string(), "file:///tmp/mail");
}
