//! What a provider is asked.

use super::{CLIENT_ID, CLIENT_SECRET, Fault, Issued, Person, Shared, State, lock};
use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State as Extracted},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::Url;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// How long ID tokens are good, in seconds.
const SECONDS: i64 = 300;

pub(super) fn router(state: Shared) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(keys))
        .route("/token", post(token))
        .route("/userinfo", get(person))
        .layer(from_fn_with_state(state.clone(), faults))
        .route("/authorize", get(authorize))
        .with_state(state)
}

/// Counts what is asked, and fails as told.
async fn faults(Extracted(state): Extracted<Shared>, request: Request, next: Next) -> Response {
    let fault = {
        let mut state = lock(&state);
        *state.asked.entry(request.uri().path().to_owned()).or_default() += 1;
        state.fault
    };
    match fault {
        Some(Fault::Slow) => std::future::pending().await,
        Some(Fault::Broken) => (StatusCode::INTERNAL_SERVER_ERROR, "it is broken").into_response(),
        Some(Fault::Long) => {
            let text = format!("{{\"x\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
            ([(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response()
        }
        Some(Fault::Redirect) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere")]).into_response(),
        _ => next.run(request).await,
    }
}

/// Discovery 1.0, 3.
async fn discovery(Extracted(state): Extracted<Shared>) -> Json<Value> {
    let state = lock(&state);
    let at = |path: &str| format!("{}{path}", state.issuer);
    Json(json!({
        "issuer": state.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [state.key.algorithm.as_str(), "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(Extracted(state): Extracted<Shared>) -> Json<Value> {
    Json(json!({"keys": [lock(&state).key.public()]}))
}

/// Core 1.0, 3.1.2: whoever comes is let in at once.
async fn authorize(Extracted(state): Extracted<Shared>, uri: Uri) -> Response {
    let asked = pairs(uri.query().unwrap_or_default());
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let mut state = lock(&state);
    let scopes = of("scope");
    let is_right = of("response_type") == "code"
        && of("client_id") == CLIENT_ID
        && of("code_challenge_method") == "S256"
        && of("code_challenge").len() == 43
        && scopes.split(' ').any(|scope| scope == "openid")
        && state.return_to.contains(&of("redirect_uri"));
    let Some(person) = state.person.clone().filter(|_| is_right) else {
        return (StatusCode::BAD_REQUEST, format!("this is not allowed: {asked:?}")).into_response();
    };
    let code = Uuid::now_v7().simple().to_string();
    let return_to = of("redirect_uri");
    let issued = Issued {
        challenge: of("code_challenge"),
        nonce: asked.get("nonce").cloned(),
        return_to: return_to.clone(),
        person,
    };
    state.codes.insert(code.clone(), issued);
    let Ok(mut page) = Url::parse(&return_to) else { return StatusCode::BAD_REQUEST.into_response() };
    page.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &of("state"))
        .append_pair("iss", &state.issuer);
    (StatusCode::FOUND, [(header::LOCATION, page.to_string())]).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// Core 1.0, 3.1.3, with RFC 7636, 4.6.
async fn token(Extracted(state): Extracted<Shared>, headers: HeaderMap, body: String) -> Response {
    if !is_client(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let asked = pairs(&body);
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if of("grant_type") != "authorization_code" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let mut state = lock(&state);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(openssl::sha::sha256(of("code_verifier").as_bytes()));
    // Whatever comes of it, the code is none any more.
    let issued = state.codes.remove(of("code"));
    let issued = issued.filter(|it| it.challenge == challenge && it.return_to == of("redirect_uri"));
    let Some(issued) = issued else { return refused(StatusCode::BAD_REQUEST, "invalid_grant") };
    let access = Uuid::now_v7().simple().to_string();
    state.access.insert(access.clone(), issued.person.clone());
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": SECONDS});
    if state.fault != Some(Fault::NoToken) {
        answer["id_token"] = json!(id_token(&state, &issued));
    }
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

/// `client_secret_basic` (RFC 6749, 2.3.1): both parts are encoded as in forms.
fn is_client(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let decoded = sent.and_then(|sent| BASE64_STANDARD.decode(sent.strip_prefix("Basic ")?).ok());
    let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
    let Some((id, secret)) = text.split_once(':') else { return false };
    let both = pairs(&format!("id={id}&secret={secret}"));
    both.get("id").is_some_and(|id| id == CLIENT_ID) && both.get("secret").is_some_and(|it| it == CLIENT_SECRET)
}

fn id_token(state: &State, issued: &Issued) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let mut claims = json!({"iss": state.issuer, "aud": CLIENT_ID, "sub": issued.person.subject,
        "iat": now, "exp": now + SECONDS, "nonce": issued.nonce});
    if !issued.person.is_apart {
        tell(&mut claims, &issued.person);
    }
    let Some(fault) = state.fault else { return state.key.sign(&claims) };
    match fault {
        Fault::Nonce => claims["nonce"] = json!("another"),
        Fault::NoNonce => claims["nonce"] = Value::Null,
        Fault::Audience => claims["aud"] = json!("another"),
        Fault::MoreAudiences => claims["aud"] = json!([CLIENT_ID, "another"]),
        Fault::Party => claims["azp"] = json!("another"),
        Fault::Issuer => claims["iss"] = json!("https://login.example"),
        Fault::Expired => claims["exp"] = json!(now - 1),
        Fault::Early => claims["iat"] = json!(now + 3_600),
        Fault::Unsigned => return state.key.unsigned(&claims),
        Fault::SharedSecret => return state.key.with_public_as_secret(&claims),
        Fault::OtherKey => return state.key.impostor().sign(&claims),
        Fault::UnknownKey => {
            let other = super::Key::generate(state.key.algorithm, "unheard of");
            return other.sign(&claims);
        }
        Fault::NoToken | Fault::Slow | Fault::Broken | Fault::Long | Fault::Redirect => {}
    }
    state.key.sign(&claims)
}

/// Adds what is told of the address (Core 1.0, 5.1).
fn tell(claims: &mut Value, person: &Person) {
    if let Some(email) = &person.email {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(person.is_verified);
    }
}

/// Core 1.0, 5.3.
async fn person(Extracted(state): Extracted<Shared>, headers: HeaderMap) -> Response {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = sent.and_then(|sent| sent.strip_prefix("Bearer ")).unwrap_or_default();
    let Some(person) = lock(&state).access.get(token).cloned() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let mut claims = json!({"sub": person.subject});
    tell(&mut claims, &person);
    Json(claims).into_response()
}

fn pairs(form: &str) -> HashMap<String, String> {
    let url = Url::parse(&format!("http://form/?{form}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}
