//! What a run of the suite came to: cargo prints a result for each test program, and a test that could not be done
//! looks passed there.

use std::fmt;

/// The tests of all programs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Test and reason of each that could not be done.
    pub(super) skipped: Vec<String>,
}

impl Summary {
    /// Adds a line of cargo's output, if it is a program's result.
    pub(super) fn read(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let counts = result.split([';', '.']).filter_map(|part| {
            let (count, what) = part.trim().split_once(' ')?;
            Some((count.parse::<usize>().ok()?, what))
        });
        for (count, what) in counts {
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// Adds the lines of the file that the tests wrote their skips to.
    pub(super) fn skipped(&mut self, file: &str) {
        self.skipped.extend(file.lines().map(str::to_owned));
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.passed.saturating_sub(self.skipped.len());
        write!(f, "{passed} passed, {} failed, {} skipped", self.failed, self.skipped.len())?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        self.skipped.iter().try_for_each(|skip| write!(f, "\n  skipped {skip}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn programs_are_added_up_and_skips_are_not_passed() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.03s",
            "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.00s",
        ] {
            summary.read(line);
        }
        summary.skipped("console::an_operator: no browser\n");
        let expected = "6 passed, 1 failed, 1 skipped, 1 ignored\n  skipped console::an_operator: no browser";
        assert_eq!(summary.to_string(), expected);
    }
}
