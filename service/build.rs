//! Tells the crate which profile it is built with, so that a figure can say so.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SOUK_BUILD_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}
