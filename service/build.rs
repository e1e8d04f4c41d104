//! Tells the crate which profile it is built with, so that a figure can say so.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let inherits_release = env::var("PROFILE").is_ok_and(|name| name == "release");
    let optimised = env::var("OPT_LEVEL").is_ok_and(|level| level == "3");
    let profile = match (inherits_release, optimised) {
        (true, true) => "release",
        (true, false) => "local",
        (false, _) => "dev",
    };
    println!("cargo::rustc-env=SOUK_BUILD_PROFILE={profile}");
}
