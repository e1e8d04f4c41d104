//! The browser that the storefront is tested with: Debian's chromium and its driver. Without them the test is left
//! out, so that nothing here is an error.

use std::process::{Command, Stdio};

/// The driver's program.
pub const DRIVER: &str = "chromedriver";
const BROWSER: &str = "chromium";
const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Whether browser and driver can be run.
#[must_use]
pub fn is_there() -> bool {
    [BROWSER, DRIVER].into_iter().all(found)
}

/// Installs them where they are missing and this user may; gives what to do where they still are.
///
/// # Errors
/// The sentence.
pub fn fetch() -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    let install = format!("apt-get install {}", PACKAGES.join(" "));
    if !found("apt-get") {
        return Err(format!("{BROWSER} and {DRIVER} are not installed, and there is no apt-get to install them"));
    }
    let administrator = nix::unistd::geteuid().is_root();
    if !administrator && !succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Err(format!("{BROWSER} and {DRIVER} are not installed. Install them with: sudo {install}"));
    }
    eprintln!("  installing {} (400 MB) for the test of the storefront", PACKAGES.join(" and "));
    let run = |arguments: &[&str]| {
        let mut command = if administrator {
            Command::new("apt-get")
        } else {
            let mut command = Command::new("sudo");
            command.args(["-n", "apt-get"]);
            command
        };
        succeeds(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install_all = ["install", "-y", "-qq", "--no-install-recommends", PACKAGES[0], PACKAGES[1]];
    // Lists of packages may be old, or not there yet.
    let installed = run(&install_all) || (run(&["update", "-qq"]) && run(&install_all));
    if installed && is_there() { Ok(()) } else { Err(format!("{install} failed")) }
}

/// Whether a program is on the path.
fn found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
