//! What descriptions of tables lead to.

use super::*;
use serde_json::json;

const VOUCHERS: TableSpec = TableSpec {
    name: "vouchers",
    id: "voucher_id",
    of_tenant: true,
    columns: &[Column::Text("code", "text"), Column::Plain("uses", "int4"), Column::Json("state")],
};

#[test]
fn statements_follow_from_the_description() {
    let made = write_statements("promotions.vouchers", &VOUCHERS);
    assert_eq!(
        made.insert,
        "INSERT INTO promotions.vouchers (tenant_id, voucher_id, version, code, uses, state) \
         SELECT $6, new.voucher_id, new.version, new.code::text, new.uses::int4, new.state::text \
         FROM UNNEST($1::uuid[], $2::int8[], $3::text[], $4::text[], $5::text[]) \
         AS new (voucher_id, version, code, uses, state)"
    );
    assert_eq!(
        made.update,
        "UPDATE promotions.vouchers AS old \
         SET version = new.version, code = new.code::text, uses = new.uses::int4, state = new.state::text \
         FROM UNNEST($1::uuid[], $2::int8[], $3::text[], $4::text[], $5::text[], $6::int8[]) \
         AS new (voucher_id, version, code, uses, state, expected) \
         WHERE old.voucher_id = new.voucher_id AND old.version = new.expected AND old.tenant_id = $7"
    );
    assert_eq!(
        made.delete,
        "DELETE FROM promotions.vouchers AS old USING UNNEST($1::uuid[], $2::int8[]) AS gone (voucher_id, version) \
         WHERE old.voucher_id = gone.voucher_id AND old.version = gone.version AND old.tenant_id = $3"
    );
    assert_eq!(
        made.load,
        "SELECT voucher_id, version, code::text, uses::text, state::text FROM promotions.vouchers \
         WHERE voucher_id = ANY($1) AND tenant_id = $2 ORDER BY voucher_id FOR UPDATE"
    );
}

#[test]
fn a_table_without_tenant_has_no_parameter_for_it() {
    let made = write_statements("tenants.tenants", &TableSpec { of_tenant: false, columns: &[], ..VOUCHERS });
    assert_eq!(
        made.insert,
        "INSERT INTO tenants.tenants (voucher_id, version) SELECT new.voucher_id, new.version \
         FROM UNNEST($1::uuid[], $2::int8[]) AS new (voucher_id, version)"
    );
    assert!(made.load.ends_with("WHERE voucher_id = ANY($1) ORDER BY voucher_id FOR UPDATE"), "{}", made.load);
}

/// A state through the columns and back.
fn there_and_back(columns: &[Column], state: &Value) -> Value {
    let mut read = Map::new();
    for column in columns {
        column.read(column.write(state), &mut read).expect("readable");
    }
    Value::Object(read)
}

#[test]
fn what_is_written_is_read() {
    let state = json!({"code": "a \"quoted\" one", "uses": 3, "open": true, "parts": [{"n": 1}], "note": null});
    let columns = [
        Column::Text("code", "text"),
        Column::Plain("uses", "int4"),
        Column::Plain("open", "bool"),
        Column::Json("parts"),
        Column::Fixed("kind", "x"),
    ];
    let mut without_note = state.clone();
    without_note.as_object_mut().expect("an object").remove("note");
    assert_eq!(there_and_back(&columns, &state), without_note);
    assert_eq!(there_and_back(&[Column::Text("note", "text")], &state), json!({}));
    assert_eq!(there_and_back(&[Column::Text("code", "text"), Column::Json("state")], &state), state);
}
