//! The browser that the storefront is tested with: Debian's chromium and its driver. Without them the test is left
//! out, so that nothing here is an error.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

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

/// What finds barriers in pages, from npm: <https://github.com/dequelabs/axe-core>.
const AXE: &str = "axe-core@4.14.1";

/// The script that finds barriers in pages, fetched into the cache where it is not there yet.
///
/// # Errors
/// A sentence that says what to do.
pub fn fetch_axe(cache: &Path) -> Result<PathBuf, String> {
    let folder = cache.join(AXE.replace('@', "-"));
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    if !found("npm") {
        return Err(format!("{AXE} is not there, and npm is not installed, which would fetch it"));
    }
    eprintln!("  fetching {AXE} from npm for the test of the storefront");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder).arg(AXE);
    if succeeds(&mut install) && script.is_file() { Ok(script) } else { Err(format!("npm could not fetch {AXE}")) }
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
