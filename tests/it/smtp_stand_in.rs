//! The stand-in for a mail server, line by line.

use acceptance::smtp_stand_in::SmtpStandIn;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What a server answers to lines that are sent one after the other, each by its code.
async fn codes(server: &SmtpStandIn, lines: &[&str]) -> io::Result<Vec<String>> {
    let address = server.url().replace("smtp://", "").replace("?tls=none", "");
    let mut client = TcpStream::connect(address.rsplit('@').next().unwrap_or_default()).await?;
    for line in lines {
        client.write_all(line.as_bytes()).await?;
    }
    client.write_all(b"QUIT\r\n").await?;
    let mut said = String::new();
    client.read_to_string(&mut said).await?;
    let last = said.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
    Ok(last.map(|line| line.chars().take(3).collect()).collect())
}

#[tokio::test]
async fn the_stand_in_keeps_the_order_of_a_conversation() {
    let server = SmtpStandIn::start().expect("a server");
    let mail = "MAIL FROM:<a@b.example>\r\n";
    let rcpt = "RCPT TO:<c@d.example>\r\n";
    let all = [
        mail,
        rcpt,
        "EHLO me\r\n",
        rcpt,
        "DATA\r\n",
        mail,
        mail,
        "DATA\r\n",
        rcpt,
        "RSET\r\n",
        rcpt,
        "NOOP\r\n",
        "WHAT\r\n",
        "NOOP\n",
        "AUTH PLAIN AGEAYg==\r\n",
    ];
    let expected = [
        "220", "503", "503", "250", "503", "503", "250", "503", "503", "250", "250", "503", "250", "500", "500", "502",
        "221",
    ];
    assert_eq!(codes(&server, &all).await.expect("codes"), expected);
}

#[tokio::test]
async fn the_stand_in_refuses_what_a_strict_server_refuses() {
    let long = format!("{}\r\n", "x".repeat(999));
    let big = format!("{}\r\n", "x".repeat(998)).repeat(1_100);
    for (text, code) in [
        ("Subject: x\r\n\r\nok\r\n", "250"),
        ("bare\nline feed\r\n", "550"),
        ("bare\r\n\n.\n\r\n", "550"),
        (&long, "500"),
        ("ü\r\n", "554"),
        (&big, "552"),
    ] {
        let server = SmtpStandIn::start().expect("a server");
        let lines = ["EHLO me\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<c@d.example>\r\n", "DATA\r\n", text, ".\r\n"];
        let codes = codes(&server, &lines).await.expect("codes");
        assert_eq!(codes, ["220", "250", "250", "250", "354", code, "221"]);
        assert_eq!(server.mails().len(), usize::from(code == "250"));
    }
}

#[tokio::test]
async fn the_stand_in_asks_for_a_login_where_there_is_one() {
    let server = SmtpStandIn::start_with_login("a", "b").expect("a server");
    let mail = "MAIL FROM:<a@b.example>\r\n";
    let plain = "AUTH PLAIN AGEAYg==\r\n";
    let all = [
        plain,
        "EHLO me\r\n",
        mail,
        "AUTH LOGIN\r\n",
        "AUTH PLAIN AGEAYw==\r\n",
        "AUTH PLAIN\r\n*\r\n",
        "AUTH PLAIN\r\nAGEAYg==\r\n",
        plain,
        mail,
    ];
    let expected = ["220", "503", "250", "530", "504", "535", "334", "501", "334", "235", "503", "250", "221"];
    assert_eq!(codes(&server, &all).await.expect("codes"), expected);
}
