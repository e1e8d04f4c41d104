//! Every SQL statement that stands as text in the product, in the call or as a constant of its file, is one that PostgreSQL understands: tables, columns and types
//! are there in the database that the part may open. A column that a migration renames fails here, not at a shopper's
//! request.

use acceptance::stack::database;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};
use std::{collections::BTreeMap, fs, path::PathBuf};
use syn::{Expr, ExprCall, ExprLit, Item, Lit, spanned::Spanned, visit::Visit};
use test_databases::{Side, TestDatabase};

/// The parts that speak SQL, and the databases that each may open.
const PARTS: [(&str, &[Side]); 6] = [
    ("write-api/src", &[Side::Write]),
    ("query-api/src", &[Side::Read]),
    ("eventlog/src", &[Side::Write, Side::Read]),
    ("projector/src", &[Side::Write, Side::Read]),
    ("reindex/src", &[Side::Write, Side::Read]),
    ("launcher/src", &[Side::Write, Side::Read]),
];

/// What takes a statement as its first argument.
const CALLS: [&str; 3] = ["query", "query_as", "query_scalar"];

/// Tables that a transaction makes for itself; what asks them can only be understood inside of it.
const MADE_ON_THE_WAY: [&str; 1] = ["other_documents"];

/// A statement and where it stands.
#[derive(Debug)]
struct Statement {
    place: String,
    sql: String,
}

struct Reader<'a> {
    file: &'a str,
    found: Vec<Statement>,
    /// Constants of the file that are texts.
    constants: BTreeMap<String, String>,
}

impl Reader<'_> {
    /// A text that is known before the program runs.
    fn text(&self, argument: &Expr) -> Option<String> {
        match argument {
            Expr::Lit(ExprLit { lit: Lit::Str(sql), .. }) => Some(sql.value()),
            Expr::Path(path) => self.constants.get(&path.path.get_ident()?.to_string()).cloned(),
            _ => None,
        }
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_expr_call(&mut self, call: &ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(name) = path.path.segments.last()
            && CALLS.iter().any(|call| name.ident == call)
            && let Some(sql) = call.args.first().and_then(|argument| self.text(argument))
        {
            let place = format!("{}:{}", self.file, call.span().start().line);
            self.found.push(Statement { place, sql });
        }
        syn::visit::visit_expr_call(self, call);
    }
}

fn statements(file: &str, text: &str) -> Vec<Statement> {
    let parsed = syn::parse_file(text).expect("the compiler has read it before");
    let mut reader = Reader { file, found: Vec::new(), constants: BTreeMap::new() };
    for item in &parsed.items {
        if let Item::Const(constant) = item
            && let Some(text) = reader.text(&constant.expr)
        {
            reader.constants.insert(constant.ident.to_string(), text);
        }
    }
    reader.visit_file(&parsed);
    reader.found
}

fn sources(part: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(part)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path()) {
            match entry.extension() {
                _ if entry.is_dir() => folders.push(entry),
                Some(ending) if ending == "rs" => files.push(entry),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// What PostgreSQL says of a statement in each of the databases, if it understands it in none.
async fn refused(connections: &mut [(Side, PgConnection)], sides: &[Side], sql: &str) -> Option<String> {
    let mut reasons = Vec::new();
    for (side, connection) in connections.iter_mut().filter(|(side, _)| sides.contains(side)) {
        match connection.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await {
            Ok(_) => return None,
            Err(error) => reasons.push(format!("{side:?}: {error}")),
        }
    }
    Some(reasons.join("; "))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_understood_by_the_database_it_is_for() {
    let (mut databases, mut connections): (Vec<TestDatabase>, Vec<(Side, PgConnection)>) = Default::default();
    for side in [Side::Write, Side::Read] {
        let database = database(side).await;
        connections.push((side, PgConnection::connect(&database.url()).await.expect("a connection")));
        databases.push(database);
    }
    let (mut count, mut wrong) = (0, Vec::new());
    for (part, sides) in PARTS {
        for file in sources(part) {
            let text = fs::read_to_string(&file).expect("a source");
            let name = file.to_string_lossy().rsplit("../").next().unwrap_or_default().to_owned();
            for statement in statements(&name, &text) {
                if MADE_ON_THE_WAY.iter().any(|table| statement.sql.contains(table)) {
                    continue;
                }
                count += 1;
                if let Some(reason) = refused(&mut connections, sides, &statement.sql).await {
                    wrong.push(format!("{}: {reason}", statement.place));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "statements that PostgreSQL does not understand:\n  {}\n", wrong.join("\n  "));
    assert!(count > 150, "only {count} statements were found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_not_there_is_found() {
    let database = database(Side::Read).await;
    let mut connections = [(Side::Read, PgConnection::connect(&database.url()).await.expect("a connection"))];
    let text =
        "fn f() { sqlx::query_scalar(\"SELECT slug FROM tenants\"); sqlx::query(\"SELECT slugg FROM tenants\"); }";
    let found = statements("a.rs", text);
    assert!(refused(&mut connections, &[Side::Read], &found[0].sql).await.is_none());
    assert!(
        refused(&mut connections, &[Side::Read], &found[1].sql).await.is_some_and(|reason| reason.contains("slugg"))
    );
}
