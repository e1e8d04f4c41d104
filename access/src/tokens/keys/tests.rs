use super::*;
use proptest::prelude::*;

/// The key pair of RFC 8037, A.1: the private half, and the public one with the name of its algorithm.
const SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = r#"{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// Its signature of a text (RFC 8037, A.4).
const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const SIGNATURE: &str = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn of_a_public_key(key: &PublicKey) -> serde_json::Value {
    serde_json::from_str(&key.to_json(Uuid::max()).expect("written")).expect("JSON")
}

#[test]
fn the_signature_is_that_of_the_standard() {
    let secret = BASE64_URL_SAFE_NO_PAD.decode(SECRET).expect("base64");
    let key = PKey::private_key_from_raw_bytes(&secret, Id::ED25519).expect("a key");
    let key = SigningKey::of(Algorithm::EdDsa, key).expect("a key");
    let signature = key.sign(SIGNED.as_bytes()).expect("signed");
    assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(&signature), SIGNATURE);
    let public = PublicKey::from_json(PUBLIC).expect("a key");
    assert_eq!(of_a_public_key(&public), of_a_public_key(key.public()));
    assert!(public.verifies(SIGNED.as_bytes(), &signature));
    assert!(!public.verifies(b"another text", &signature) && !public.verifies(SIGNED.as_bytes(), b"short"));
}

#[test]
fn a_key_is_read_as_it_was_written_and_its_public_part_tells_nothing_private() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
        let key = SigningKey::generate(algorithm).expect("made");
        let private = key.to_json().expect("written");
        let again = SigningKey::from_json(&private).expect("read");
        assert_eq!(again.to_json().expect("written"), private);
        let public = of_a_public_key(key.public());
        assert_eq!(public["alg"], algorithm.as_str());
        assert_eq!((&public["use"], public["kid"].as_str()), (&"sig".into(), Some(&*Uuid::max().to_string())));
        assert_eq!(public.as_object().map(serde_json::Map::len), Some(6));
        assert!(!format!("{key:?}").contains(private.get(60..80).expect("long")), "{key:?}");
    }
}

#[test]
fn what_is_no_key_of_ours_is_refused() {
    let without = PUBLIC.replace(r#""alg":"EdDSA","#, "");
    assert!(matches!(PublicKey::from_json(&without), Err(TokenError::UnknownAlgorithm)), "it names none");
    for alg in ["none", "HS256", "EDDSA", "PS256"] {
        let named = PUBLIC.replace(r#""EdDSA""#, &format!("\"{alg}\""));
        assert!(matches!(PublicKey::from_json(&named), Err(TokenError::UnknownAlgorithm)), "{alg}");
    }
    for (from, to) in [("Ed25519", "Ed448"), ("OKP", "RSA"), ("EdDSA", "RS256"), ("\"x\":\"11q", "\"x\":\"=")] {
        assert!(matches!(PublicKey::from_json(&PUBLIC.replace(from, to)), Err(TokenError::NotAKey)), "{to}");
    }
    let of = |algorithm| SigningKey::generate(algorithm).expect("made").to_json().expect("written");
    let swapped = of(Algorithm::EdDsa).replace("EdDSA", "RS256");
    assert!(matches!(SigningKey::from_json(&swapped), Err(TokenError::NotAKey)));
    for text in ["", "{}", r#"{"alg":"EdDSA","pkcs8":"AAAA"}"#, PUBLIC] {
        assert!(SigningKey::from_json(text).is_err(), "{text}");
    }
    let short = PKey::from_rsa(Rsa::generate(1_024).expect("made")).expect("a key");
    assert!(matches!(SigningKey::of(Algorithm::Rs256, short), Err(TokenError::NotAKey)));
}

proptest! {
    #[test]
    fn any_text_is_a_key_or_refused(at in 0..PUBLIC.len(), to in "[ -~]{0,3}") {
        let mut changed = PUBLIC.to_owned();
        changed.replace_range(at..=at, &to);
        let _ = (SigningKey::from_json(&changed).is_ok(), PublicKey::from_json(&changed).is_ok());
    }
}
