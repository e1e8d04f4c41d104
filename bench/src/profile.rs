//! A figure that stands beside another engine's counts only when souk was built for release, as that engine was.

use crate::BenchError;
use reqwest::Client;
use service::metrics::BUILD_PROFILE;

const RELEASE: &str = "release";

/// Whether souk may be compared however it was built.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ProfileArgs {
    /// Compare even if souk was not built with the release profile; the figures then say nothing about souk
    #[arg(long)]
    pub any_profile: bool,
}

impl ProfileArgs {
    /// Passes if this program was built for release; gives its profile.
    pub(crate) fn own(self) -> Result<&'static str, BenchError> {
        self.judge("souk-bench", BUILD_PROFILE, "./souk bench builds it so")?;
        Ok(BUILD_PROFILE)
    }

    /// Passes if the service at `base` was built for release; gives its profile.
    pub(crate) async fn running(self, http: &Client, base: &str) -> Result<String, BenchError> {
        let url = format!("{base}/metrics");
        let failed = |error: reqwest::Error| BenchError::Service {
            what: "asking for the build profile",
            url: url.clone(),
            reason: format!("{error}. Is it running? See `./souk status`"),
        };
        let answer = http.get(&url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let text = answer.text().await.map_err(failed)?;
        let profile = profile(&text).unwrap_or("unknown");
        self.judge(base, profile, "./souk down, then SOUK_PROFILE=release ./souk up")?;
        Ok(profile.to_owned())
    }

    fn judge(self, what: &str, profile: &str, how: &str) -> Result<(), BenchError> {
        if profile == RELEASE || self.any_profile {
            return Ok(());
        }
        Err(BenchError::Nothing(format!(
            "{what} was built with the profile `{profile}`, and other engines are built for release. \
             Build souk so ({how}), or compare all the same with --any-profile"
        )))
    }
}

/// The profile that a service's metrics name.
fn profile(metrics: &str) -> Option<&str> {
    let labels = metrics.lines().find_map(|line| line.strip_prefix("souk_build_info{"))?;
    labels.split_once("profile=\"")?.1.split_once('"').map(|(profile, _)| profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: ProfileArgs = ProfileArgs { any_profile: false };

    #[test]
    fn the_profile_is_read_from_the_metrics() {
        let text = "# TYPE souk_build info\nsouk_build_info{version=\"0.1.0\",profile=\"local\"} 1\n";
        assert_eq!(profile(text), Some("local"));
        assert_eq!(profile("souk_process_cpu_seconds_total 1\n"), None);
        assert_eq!(profile(&service::Metrics::default().text()), Some(BUILD_PROFILE));
    }

    #[test]
    fn only_release_is_compared() {
        assert!(STRICT.judge("query-api", RELEASE, "").is_ok());
        let refused = STRICT.judge("query-api", "local", "build it").expect_err("refused").to_string();
        assert!(refused.contains("`local`") && refused.contains("build it"), "{refused}");
        assert!(STRICT.judge("query-api", "unknown", "").is_err(), "a service that says nothing is not compared");
        assert!(ProfileArgs { any_profile: true }.judge("query-api", "local", "").is_ok());
    }
}
