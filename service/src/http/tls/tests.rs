use super::*;
use crate::{Metrics, Refusals, http::serve, shutdown::Shutdown};
use axum::{Router, routing::get};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    ssl::SslConnector,
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName},
};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Far longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

/// A certificate of the name `shop.example` by itself, and its key, as files in a folder.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn drawn(serial: u32) -> Self {
        let files = Self { folder: tempfile::tempdir().expect("a folder") };
        let (certificate, key) = drawn(serial).expect("drawn");
        std::fs::write(files.certificate(), certificate).expect("written");
        std::fs::write(files.key(), key).expect("written");
        files
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    fn options(&self) -> HttpOptions {
        HttpOptions { tls_certificate: Some(self.certificate()), tls_key: Some(self.key()), ..HttpOptions::default() }
    }
}

/// Certificate and key as PEM.
fn drawn(serial: u32) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&curve)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "shop.example")?;
    let name = name.build();
    let mut made = X509::builder()?;
    made.set_version(2)?;
    made.set_serial_number(&*BigNum::from_u32(serial)?.to_asn1_integer()?)?;
    made.set_subject_name(&name)?;
    made.set_issuer_name(&name)?;
    made.set_pubkey(&key)?;
    made.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    made.set_not_after(&*Asn1Time::days_from_now(2)?)?;
    let host = SubjectAlternativeName::new().dns("shop.example").build(&made.x509v3_context(None, None))?;
    made.append_extension(host)?;
    made.sign(&key, MessageDigest::sha256())?;
    Ok((made.build().to_pem()?, key.private_key_to_pem_pkcs8()?))
}

/// A client that trusts the certificate and speaks these protocols.
async fn client(address: SocketAddr, files: &Files, protocols: &[u8]) -> SslStream<TcpStream> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
    connector.set_ca_file(files.certificate()).expect("trusted");
    connector.set_alpn_protos(protocols).expect("protocols");
    let ssl = connector.build().configure().expect("configured").into_ssl("shop.example").expect("a session");
    let stream = TcpStream::connect(address).await.expect("connected");
    let mut stream = SslStream::new(ssl, stream).expect("a stream");
    tokio::time::timeout(SOON, Pin::new(&mut stream).connect()).await.expect("in time").expect("agreed");
    stream
}

#[tokio::test]
async fn a_server_with_a_certificate_speaks_https_alone() {
    let files = Files::drawn(1);
    let (metrics, shutdown) = (Metrics::default(), Shutdown::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/", get(|| async { "here" }));
    let options = HttpOptions { http_header_ms: 300, ..files.options() };
    let served = tokio::spawn(serve(listener, router, options, Refusals::new(&metrics), shutdown.clone()));

    let mut encrypted = client(address, &files, b"\x08http/1.1").await;
    assert_eq!(encrypted.ssl().selected_alpn_protocol(), Some(&b"http/1.1"[..]));
    encrypted.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("said");
    let mut answer = String::new();
    let heard = tokio::time::timeout(SOON, encrypted.read_to_string(&mut answer)).await.expect("in time");
    heard.expect("closed as TLS is");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhere"), "{answer}");
    let second = client(address, &files, b"\x08http/1.1\x02h2").await;
    assert_eq!(second.ssl().selected_alpn_protocol(), Some(&b"h2"[..]), "the better one");

    // Who says nothing, and who speaks in the clear, is gone when a handshake should be over.
    for said in ["", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut plain = TcpStream::connect(address).await.expect("connected");
        plain.write_all(said.as_bytes()).await.expect("said");
        let mut heard = Vec::new();
        // Closed in either way.
        drop(tokio::time::timeout(SOON, plain.read_to_end(&mut heard)).await.expect("in time"));
        assert!(!String::from_utf8_lossy(&heard).contains("HTTP"), "{heard:?}");
    }
    assert!(metrics.text().contains("souk_requests_refused_total{reason=\"tls_handshake\"} 2\n"), "{}", metrics.text());
    shutdown.trigger();
    drop(second);
    tokio::time::timeout(SOON, served).await.expect("in time").expect("no panic").expect("served");
}

#[test]
fn a_renewed_certificate_is_read_again_and_half_a_renewal_changes_nothing() {
    let files = Files::drawn(1);
    let tls = Tls::of(&files.certificate(), &files.key(), Duration::ZERO).expect("read");
    let rarely = Tls::of(&files.certificate(), &files.key(), LOOK_EVERY).expect("read");
    let before = serial(&tls);
    assert_eq!(before, "01");
    let renewed = Files::drawn(2);
    std::fs::copy(renewed.certificate(), files.certificate()).expect("copied");
    // Files are told apart by their length, too, where two are written in one tick of the clock.
    let mut text = std::fs::read(files.certificate()).expect("read");
    text.extend(b"\n");
    std::fs::write(files.certificate(), text).expect("written");
    assert_eq!(serial(&tls), "01", "the key is still the old one");
    std::fs::copy(renewed.key(), files.key()).expect("copied");
    assert_eq!(serial(&tls), "02");
    std::fs::remove_file(files.key()).expect("removed");
    assert_eq!(serial(&tls), "02", "what was read stays");
    assert_eq!(serial_of(rarely.acceptor().context()), "01", "it is not looked at each time");
}

/// The number of the certificate that a client would be shown.
fn serial(tls: &Tls) -> String {
    serial_of(tls.acceptor().context())
}

fn serial_of(context: &openssl::ssl::SslContextRef) -> String {
    let number = context.certificate().expect("a certificate").serial_number().to_bn().expect("a number");
    number.to_hex_str().expect("text").to_string()
}

#[test]
fn files_that_can_not_be_used_are_named_at_the_start() {
    let (files, others) = (Files::drawn(1), Files::drawn(2));
    let refused = |certificate: &Path, key: &Path| Tls::of(certificate, key, LOOK_EVERY).err().expect("refused");
    let missing = refused(Path::new("/nowhere.pem"), &files.key());
    assert!(missing.contains("/nowhere.pem"), "{missing}");
    refused(&files.certificate(), &others.key());
    refused(&files.key(), &files.key());
    assert!(Tls::read(&HttpOptions::default()).expect("nothing").is_none());
}
