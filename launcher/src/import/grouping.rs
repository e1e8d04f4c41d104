//! Rows that are one product: Shopify writes a row for each variant and each picture, WooCommerce one for the product
//! and one for each variation, Google one for each size with the id of the group.
//!
//! Rows of one product need not stand together, so the whole file is held in memory while it is grouped.

use super::{mapping::GroupRule, reader::Record};
use serde_json::{Map, Value};
use std::{collections::HashMap, io};

/// The field under which a product has its rows.
pub(crate) const ROWS: &str = "rows";
/// How WooCommerce names a parent without a SKU.
const BY_ID: &str = "id:";

/// Some rows that are one product.
struct Group {
    line: u64,
    original: Vec<String>,
    fields: Map<String, Value>,
    rows: Vec<Value>,
    /// Whether the first row stands for the product alone, and only the others are its variants.
    has_parent: bool,
}

/// Groups the rows of a file; rows that can't be read stay by themselves.
pub(crate) fn grouped(records: impl Iterator<Item = io::Result<Record>>, rule: &GroupRule) -> io::Result<Vec<Record>> {
    let mut places: Vec<Result<usize, Record>> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut children: Vec<(String, Record)> = Vec::new();
    for record in records {
        let record = record?;
        let Ok(fields) = &record.fields else {
            places.push(Err(record));
            continue;
        };
        if let Some(parent) = rule.parent.texts(fields).unwrap_or_default().into_iter().next() {
            children.push((parent, record));
            continue;
        }
        let names = rule.by.texts(fields).unwrap_or_default();
        let known = names.iter().find_map(|name| by_name.get(name)).copied().filter(|_| rule.parent.is_empty());
        match known {
            Some(at) => groups[at].take(record, false),
            None => {
                places.push(Ok(groups.len()));
                for name in names {
                    by_name.entry(name).or_insert(groups.len());
                }
                groups.push(Group::begin(record));
            }
        }
    }
    for (parent, record) in children {
        let at = by_name.get(&parent).or_else(|| by_name.get(parent.strip_prefix(BY_ID)?)).copied();
        match at {
            Some(at) => groups[at].take(record, true),
            // A variation whose product is not in the file is a product by itself.
            None => {
                places.push(Ok(groups.len()));
                groups.push(Group::begin(record));
            }
        }
    }
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    let record = |place: Result<usize, Record>| match place {
        Ok(at) => groups[at].take().map(Group::record),
        Err(record) => Some(record),
    };
    let mut records: Vec<Record> = places.into_iter().filter_map(record).collect();
    records.sort_by_key(|record| record.line);
    Ok(records)
}

impl Group {
    fn begin(record: Record) -> Self {
        let fields = record.fields.unwrap_or_default();
        let rows = vec![Value::Object(fields.clone())];
        Self { line: record.line, original: vec![record.original], fields, rows, has_parent: false }
    }

    fn take(&mut self, record: Record, is_child: bool) {
        self.original.push(record.original);
        if is_child && !self.has_parent {
            self.has_parent = true;
            self.rows.clear();
        }
        self.rows.push(Value::Object(record.fields.unwrap_or_default()));
    }

    fn record(mut self) -> Record {
        self.fields.insert(ROWS.to_owned(), Value::Array(self.rows));
        Record::new(self.line, self.original.join("\n"), Ok(self.fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn group(rule: &str, rows: &[Value]) -> Vec<(u64, Value)> {
        let rule: GroupRule = toml::from_str(rule).expect("a rule");
        let record = |(at, row): (usize, &Value)| {
            Ok(Record::new(at as u64 + 2, String::new(), Ok(row.as_object().expect("an object").clone())))
        };
        let records = grouped(rows.iter().enumerate().map(record), &rule).expect("grouped");
        records.into_iter().map(|record| (record.line, record.fields.expect("fields")[ROWS].clone())).collect()
    }

    #[test]
    fn rows_of_one_name_are_one_product_wherever_they_stand() {
        let rows =
            [json!({"h": "a", "v": 1}), json!({"h": "b", "v": 2}), json!({"h": "a", "v": 3}), json!({"h": "", "v": 4})];
        let groups = group("by = 'h'", &rows);
        assert_eq!(groups.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(groups[0].1, json!([{"h": "a", "v": 1}, {"h": "a", "v": 3}]));
    }

    #[test]
    fn variations_come_to_their_parent_by_sku_or_id_also_before_it() {
        let rows = [
            json!({"sku": "x", "id": "1"}),
            json!({"sku": "c2", "id": "5", "parent": "id:4"}),
            json!({"sku": "c1", "id": "2", "parent": "x"}),
            json!({"sku": "", "id": "4"}),
            json!({"sku": "lost", "id": "9", "parent": "nobody"}),
        ];
        let groups = group("by = ['sku', 'id']\nparent = 'parent'", &rows);
        assert_eq!(groups.len(), 3);
        assert_eq!(groups[0].1, json!([{"sku": "c1", "id": "2", "parent": "x"}]));
        assert_eq!(groups[1].1, json!([{"sku": "c2", "id": "5", "parent": "id:4"}]));
        assert_eq!(groups[2].0, 6);
    }
}
