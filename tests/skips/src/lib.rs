//! Tests that can't be done on a machine say so, since the harness counts them as passed.

use std::{fs::OpenOptions, io::Write, path::Path};

/// The file to which skips are written, a line each; `./souk test` sets it and counts them at its end.
pub const FILE: &str = "SOUK_TEST_SKIPS";

/// Says that the test that calls this could not be done, and why; it should return then.
///
/// # Panics
/// If the file can't be written to.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let line = line(thread.name().unwrap_or("a test"), why);
    eprintln!("SKIPPED: {line}");
    if let Some(file) = std::env::var_os(FILE) {
        append(Path::new(&file), &line).expect("the list of skips");
    }
}

fn line(test: &str, why: &str) -> String {
    format!("{test}: {}", why.replace('\n', " "))
}

/// One write, so that lines of several tests don't mix.
fn append(file: &Path, line: &str) -> std::io::Result<()> {
    OpenOptions::new().create(true).append(true).open(file)?.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{append, line};

    #[test]
    fn every_skip_is_a_line_of_its_own() -> std::io::Result<()> {
        let file = std::env::temp_dir().join(format!("souk-skips-{}", std::process::id()));
        append(&file, &line("a::b", "no browser\nis there"))?;
        append(&file, &line("c", "no catalog"))?;
        let written = std::fs::read_to_string(&file)?;
        std::fs::remove_file(&file)?;
        assert_eq!(written, "a::b: no browser is there\nc: no catalog\n");
        Ok(())
    }
}
