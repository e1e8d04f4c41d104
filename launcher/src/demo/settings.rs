//! What the demo's shop has decided of tax, shipping, places and payments: `settings.json` beside this file.

use crate::{LaunchError, asked, key::KeyArgs};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// Each setting by its address below `/v1/settings/`.
const SETTINGS: &str = include_str!("settings.json");

/// The settings by their addresses.
///
/// # Errors
/// If the file is no object in JSON, which is a defect.
pub fn all() -> serde_json::Result<BTreeMap<String, Value>> {
    let settings: BTreeMap<String, Value> = serde_json::from_str(SETTINGS)?;
    Ok(settings.into_iter().map(|(place, body)| (format!("/v1/settings/{place}"), body)).collect())
}

/// Decides them for a shop, whatever it has decided before.
///
/// # Errors
/// What write-api said, as a sentence.
pub(crate) async fn decide(write_url: &str, key: &KeyArgs, shop: &str) -> Result<(), LaunchError> {
    let settings = all().map_err(|error| LaunchError::Other(format!("the settings of the demo: {error}")))?;
    for (path, body) in settings {
        let request = asked::request(key, Method::PUT, write_url, &path)?;
        let request = request.header("x-tenant-slug", shop).header("if-match", "*").json(&body);
        asked::answer(request, write_url).await?;
    }
    Ok(())
}
