//! How long files and functions may be.

use super::files::File;

struct Budget {
    median: usize,
    ninetieth: usize,
    longest: usize,
}

const FILES: Budget = Budget { median: 120, ninetieth: 300, longest: 500 };
const FUNCTIONS: Budget = Budget { median: usize::MAX, ninetieth: 40, longest: 80 };

fn production(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.is_rust() && !file.is_test())
}

/// Production files beyond the budget.
pub fn long_files(files: &[File]) -> Vec<String> {
    let sizes = production(files).map(|file| (file.path.clone(), file.production_lines()));
    over(&FILES, sizes.collect())
}

/// Production functions beyond the budget.
pub fn long_functions(files: &[File]) -> Vec<String> {
    let sizes = production(files).flat_map(|file| {
        let found = file.syntax.functions.iter().filter(|function| !function.in_test);
        found.map(|function| (format!("{}:{} {}", file.path, function.line, function.name), function.lines))
    });
    over(&FUNCTIONS, sizes.collect())
}

fn over(budget: &Budget, mut sizes: Vec<(String, usize)>) -> Vec<String> {
    sizes.sort_by_key(|(_, lines)| *lines);
    let too_long = sizes.iter().rev().filter(|(_, lines)| *lines > budget.longest);
    let mut found: Vec<String> =
        too_long.map(|(name, lines)| format!("{name}: {lines} lines, {} are allowed", budget.longest)).collect();
    for (share, percent, limit) in [("median", 50, budget.median), ("90th percentile", 90, budget.ninetieth)] {
        // Nearest rank.
        let rank = (sizes.len() * percent).div_ceil(100).saturating_sub(1);
        if let Some((name, lines)) = sizes.get(rank).filter(|(_, lines)| *lines > limit) {
            found.push(format!("the {share} is {lines} lines ({name}), {limit} are allowed"));
        }
    }
    found
}

#[test]
fn a_file_beyond_the_budget_is_found() {
    let long = File::new("a/src/x.rs", &"//\n".repeat(501));
    let found = long_files(&[long]);
    assert_eq!(found.len(), 3, "{found:?}");
    let tested = File::new("a/src/x.rs", &format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}", "//\n".repeat(600)));
    assert!(long_files(&[tested]).is_empty());
}

#[test]
fn a_function_beyond_the_budget_is_found() {
    let body = "//\n".repeat(80);
    let long = File::new("a/src/x.rs", &format!("\nfn long() {{\n{body}}}\n#[cfg(test)]\nfn tested() {{\n{body}}}\n"));
    let found = long_functions(&[long]);
    assert_eq!(found[0], "a/src/x.rs:2 long: 82 lines, 80 are allowed");
    assert_eq!(found.len(), 2);
}

#[test]
fn the_ninetieth_percentile_counts() {
    let short = (0..8).map(|n| (format!("short{n}"), 10));
    let long = (0..2).map(|n| (format!("long{n}"), 50));
    assert_eq!(over(&FUNCTIONS, short.chain(long).collect()).len(), 1);
}
