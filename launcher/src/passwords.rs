//! The passwords of PostgreSQL's roles, in a file of the form that every client of PostgreSQL reads when `PGPASSFILE`
//! names it.

use crate::{LaunchError, secret};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Its name in a data folder.
const FILE: &str = "pgpass";

/// Who uses a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who migrates, backs up and restores: everything belongs to it.
    Owner,
    /// write-api.
    Write,
    /// A projector.
    Projector,
    /// query-api.
    Query,
    /// `reindex`: operators and what runs for them.
    Reindex,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Write, Self::Projector, Self::Query, Self::Reindex];

    /// Its name in PostgreSQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "souk",
            Self::Write => "souk_write",
            Self::Projector => "souk_projector",
            Self::Query => "souk_query",
            Self::Reindex => "souk_reindex",
        }
    }
}

/// The passwords by the role's name.
#[derive(Debug, Default)]
pub struct Passwords(BTreeMap<String, String>);

impl Passwords {
    /// Their file in a data folder.
    #[must_use]
    pub fn file(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE)
    }

    /// Reads a file; one that is missing, or another user's, holds nothing. Lines have five fields, of which the last
    /// two count: a role and its password.
    #[must_use]
    pub fn load(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .filter_map(|line| {
                    let (role, password) = line.splitn(4, ':').nth(3)?.split_once(':')?;
                    Some((role.to_owned(), password.to_owned()))
                })
                .collect(),
        )
    }

    /// A role's password.
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&str> {
        self.0.get(role.name()).map(String::as_str)
    }

    /// Draws a password for every role that has none; gives whether there was one.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn draw_missing(&mut self) -> Result<bool, LaunchError> {
        let missing: Vec<Role> = Role::ALL.into_iter().filter(|role| self.of(*role).is_none()).collect();
        for role in &missing {
            self.0.insert(role.name().to_owned(), secret::draw()?);
        }
        Ok(!missing.is_empty())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn save(&self, file: &Path) -> Result<(), LaunchError> {
        let lines = self.0.iter().map(|(role, password)| format!("*:*:*:{role}:{password}\n"));
        secret::keep(file, &lines.collect::<String>())
    }

    /// A database's URL for a role. Without a password of the role, it stays as it is.
    #[must_use]
    pub fn put_into(&self, url: &str, role: Role) -> String {
        let with_role = || {
            let mut parsed = url::Url::parse(url).ok()?;
            parsed.set_username(role.name()).ok()?;
            parsed.set_password(Some(self.of(role)?)).ok()?;
            Some(parsed.to_string())
        };
        with_role().unwrap_or_else(|| url.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_drawn_once_and_stand_in_urls() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Passwords::file(folder.path());
        let mut drawn = Passwords::load(&file);
        assert!(drawn.draw_missing().expect("drawn"));
        drawn.save(&file).expect("saved");
        let mut again = Passwords::load(&file);
        assert!(!again.draw_missing().expect("nothing is missing"));
        let password = drawn.of(Role::Query).expect("a password");
        assert_eq!(again.of(Role::Query), Some(password));
        assert_ne!(again.of(Role::Owner), Some(password));
        let url = again.put_into("postgres://souk:own@127.0.0.1:54320/souk_read?sslmode=require", Role::Query);
        assert_eq!(url, format!("postgres://souk_query:{password}@127.0.0.1:54320/souk_read?sslmode=require"));
        let other = "postgres://souk:own@db/souk_read";
        assert_eq!(Passwords::default().put_into(other, Role::Query), other);
    }
}
