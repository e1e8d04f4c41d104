//! `pg_hba.conf`: who may connect from where, and how they prove who they are.

/// What lets in whoever comes.
const TRUST: &str = "trust";
/// What asks for a password without its being sent.
const PASSWORD: &str = "scram-sha-256";

/// Whether anybody is let in without a password.
pub fn trust(rules: &str) -> bool {
    rules.lines().any(|line| trusting(line).is_some())
}

/// The same rules, asking for a password wherever anybody was let in, and with one for the clients of a network, such as
/// `10.1.0.0/24`.
pub fn asking(rules: &str, clients: Option<&str>) -> String {
    let mut lines: Vec<String> = rules
        .lines()
        .map(|line| trusting(line).map_or_else(|| line.to_owned(), |start| format!("{start}{PASSWORD}")))
        .collect();
    let own = clients.map(|clients| format!("host all all {clients} {PASSWORD}"));
    lines.extend(own.filter(|own| !lines.contains(own)));
    lines.join("\n") + "\n"
}

/// A rule that trusts, without its last word.
fn trusting(line: &str) -> Option<&str> {
    line.trim_end()
        .strip_suffix(TRUST)
        .filter(|start| !start.trim_start().starts_with('#') && start.ends_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "# METHOD can be \"trust\", \"reject\", or trust\n\
                        local   all             all                                     trust\n\
                        host    all             all             127.0.0.1/32            trust\n\
                        host    all             nobody          10.0.0.0/8              reject\n";

    #[test]
    fn nobody_is_trusted_and_what_was_refused_stays_refused() {
        assert!(trust(MADE));
        let rules = asking(MADE, Some("10.1.0.0/24"));
        assert!(!trust(&rules), "{rules}");
        assert!(rules.starts_with("# METHOD can be \"trust\", \"reject\", or trust\n"), "{rules}");
        assert_eq!(rules.matches(PASSWORD).count(), 3, "{rules}");
        assert!(rules.contains(" reject\n") && rules.ends_with("host all all 10.1.0.0/24 scram-sha-256\n"), "{rules}");
        assert_eq!(asking(&rules, Some("10.1.0.0/24")), rules);
    }
}
