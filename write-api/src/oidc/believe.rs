//! What of an ID token is checked before it is believed (Core 1.0, 3.1.3.7).

use super::Identity;
use openidconnect::{
    ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreProviderMetadata},
};
use schemas::{TimeDelta, Timestamp};

/// How tokens may be signed: with a key of which a half is public. `none` and the ways with a shared secret never are.
const BELIEVED: [CoreJwsSigningAlgorithm; 5] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// How far the clock of a provider may be ahead.
const LEEWAY: TimeDelta = TimeDelta::minutes(5);
/// The longest name of a person (Core 1.0, 2).
const MOST_SUBJECT: usize = 255;

/// Why an ID token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// There is none.
    #[error("the provider gives no ID token")]
    NoToken,
    /// It was signed with a key that the provider does not publish.
    #[error("the ID token is signed with a key that the provider does not publish")]
    UnknownKey,
    /// It was not signed with the key that it names.
    #[error("the signature of the ID token is wrong")]
    Forged,
    /// It is signed in a way that is never believed, or that the provider has not published.
    #[error("the ID token is signed in a way that is not allowed")]
    Algorithm,
    /// Another provider has issued it.
    #[error("the ID token is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the ID token is not for this shop")]
    Audience,
    /// It is over, or of the future.
    #[error("the ID token is not valid at this time")]
    Time,
    /// It answers another request.
    #[error("the ID token answers another request")]
    Nonce,
    /// Anything else.
    #[error("the ID token is not as the standard has it")]
    Form,
}

impl From<ClaimsVerificationError> for Distrust {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(_) => Self::Time,
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            ClaimsVerificationError::SignatureVerification(error) => match error {
                SignatureVerificationError::NoMatchingKey => Self::UnknownKey,
                SignatureVerificationError::DisallowedAlg(_)
                | SignatureVerificationError::NoSignature
                | SignatureVerificationError::UnsupportedAlg(_) => Self::Algorithm,
                _ => Self::Forged,
            },
            _ => Self::Form,
        }
    }
}

/// In which ways of those that are believed a provider says to sign.
pub(super) fn algorithms(metadata: &CoreProviderMetadata) -> impl Iterator<Item = CoreJwsSigningAlgorithm> {
    let published = metadata.id_token_signing_alg_values_supported();
    published.iter().filter(|algorithm| BELIEVED.contains(algorithm)).cloned()
}

/// Who an ID token says somebody is.
///
/// # Errors
/// [`Distrust`]
pub(super) fn believe(
    metadata: &CoreProviderMetadata,
    client_id: &str,
    token: &CoreIdToken,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<Identity, Distrust> {
    let client_id = ClientId::new(client_id.to_owned());
    // As for a client without a secret: then no signature is ever made with one.
    let verifier =
        CoreIdTokenVerifier::new_public_client(client_id.clone(), metadata.issuer().clone(), metadata.jwks().clone())
            .set_allowed_algs(algorithms(metadata))
            .set_time_fn(move || now)
            .set_issue_time_verifier_fn(
                move |at| if at > now + LEEWAY { Err("of the future".to_owned()) } else { Ok(()) },
            );
    let claims = token.claims(&verifier, nonce)?;
    // The library leaves to its callers for whom the token was issued, where it says so.
    if claims.authorized_party().is_some_and(|party| *party != client_id) {
        return Err(Distrust::Audience);
    }
    let subject = claims.subject().as_str().to_owned();
    if subject.is_empty() || subject.len() > MOST_SUBJECT {
        return Err(Distrust::Form);
    }
    let email = claims.email().map(|email| email.as_str().to_owned());
    Ok(Identity { subject, email, is_email_verified: claims.email_verified().unwrap_or(false) })
}
