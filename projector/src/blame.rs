//! Whether an event or the server is to blame for a failure.

/// SQLSTATE classes, and single codes, of failures that no event is the cause of (PostgreSQL's documentation, appendix A):
/// connection, missing or invalid state of the transaction, authorization, rollback by the server, objects that are not
/// there or not allowed (a migration that has not run), resources, locks, shutdown and system errors.
const OF_THE_SERVER: [&str; 14] = ["08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "F0", "XX"];

/// Whether an event makes a statement fail. Unless the server is known to be the cause, an event is taken to be: then the
/// batch is tried key by key, and at worst one key waits for an operator instead of all.
#[must_use]
pub fn is_of_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            !error.code().is_some_and(|code| OF_THE_SERVER.iter().any(|class| code.starts_with(class)))
        }
        sqlx::Error::Decode(_) | sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::error::{DatabaseError, ErrorKind};
    use std::{borrow::Cow, fmt};

    #[derive(Debug)]
    struct Told(&'static str);

    impl fmt::Display for Told {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Told {}

    impl DatabaseError for Told {
        fn message(&self) -> &str {
            self.0
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn an_event_is_to_blame_unless_the_server_is() {
        let blames = |code| is_of_data(&sqlx::Error::Database(Box::new(Told(code))));
        // A row affected twice, a trigger's refusal, a value out of range, a constraint.
        assert!(["21000", "P0001", "22003", "23505", "54000"].into_iter().all(blames));
        // Shutdown, deadlock, full disk, lock, a table that is not there.
        assert!(!["57P01", "40P01", "53100", "55P03", "42P01", "08006"].into_iter().any(blames));
        assert!(!is_of_data(&sqlx::Error::PoolTimedOut));
    }
}
