//! The migrations are built in, so that a new one builds this crate anew.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
