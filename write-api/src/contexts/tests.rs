//! What documents draw of the contexts is what the code does.

use super::{carts, catalog, checkout, inventory, orders, payments, promotions, tenants};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/diagrams.md");
const BEGIN: &str = "<!-- state machines -->\n";
const END: &str = "<!-- end of state machines -->\n";

#[test]
fn the_state_machines_in_the_documents_are_those_of_the_code() {
    let drawn = [
        tenants::tests::diagrams::all(),
        catalog::tests::diagrams::all(),
        inventory::tests::diagrams::all(),
        carts::tests::diagrams::all(),
        promotions::tests::diagrams::all(),
        checkout::tests::diagrams::all(),
        orders::tests::diagrams::all(),
        payments::tests::diagrams::all(),
    ];
    let drawn: Vec<String> = drawn.iter().flatten().map(ToString::to_string).collect();
    let drawn = format!("\n{}\n", drawn.join("\n"));
    let document = std::fs::read_to_string(DOCUMENT).expect("docs/diagrams.md");
    let (before, rest) = document.split_once(BEGIN).expect("where they begin");
    let (known, after) = rest.split_once(END).expect("where they end");
    if known == drawn {
        return;
    }
    assert!(
        std::env::var_os("SOUK_BLESS").is_some(),
        "the state machines of docs/diagrams.md are not those of the code; run ./souk diagrams"
    );
    std::fs::write(DOCUMENT, format!("{before}{BEGIN}{drawn}{END}{after}")).expect("a writable file");
}
