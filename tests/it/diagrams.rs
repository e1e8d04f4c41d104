//! The context map in docs/diagrams.md is that of the code. `./souk diagrams` writes it.

use super::architecture;
use projector::registry::FEEDS;
use schemas::contexts::Context;
use std::{collections::BTreeSet, fmt::Write, path::Path};

const BEGIN: &str = "<!-- context map -->\n";
const END: &str = "<!-- end of context map -->\n";

#[test]
fn the_context_map_in_the_documents_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/diagrams.md");
    let document = std::fs::read_to_string(&path).expect("docs/diagrams.md");
    let (before, rest) = document.split_once(BEGIN).expect("where it begins");
    let (known, after) = rest.split_once(END).expect("where it ends");
    let drawn = format!("\n{}\n{}\n", who_asks_whom(), what_reads_whom());
    if known == drawn {
        return;
    }
    assert!(
        std::env::var_os("SOUK_BLESS").is_some(),
        "the context map of docs/diagrams.md is not that of the code; run ./souk diagrams"
    );
    std::fs::write(&path, format!("{before}{BEGIN}{drawn}{END}{after}")).expect("a writable file");
}

/// Every context, and the ports that others ask.
fn who_asks_whom() -> String {
    let mut drawn =
        "### Who asks whose port\n\nRound boxes are modules of write-api that belong to no context. A dotted \
                     arrow is asked by processes and jobs of a context alone, and by no request.\n\n\
                     ```mermaid\nflowchart LR\n"
            .to_owned();
    for context in Context::ALL {
        line(&mut drawn, &node(context));
    }
    let asked = architecture::who_asks_whom();
    let is_context = |name: &str| Context::ALL.into_iter().any(|context| context.name() == name);
    let outside: BTreeSet<&String> = asked.keys().map(|(who, _)| who).filter(|who| !is_context(who)).collect();
    for who in outside {
        line(&mut drawn, &format!("context_{who}([{who}])"));
    }
    for ((who, whom), layers) in &asked {
        let arrow = if layers.iter().all(|layer| layer == "process") { "-.->" } else { "-->" };
        line(&mut drawn, &format!("context_{who} {arrow} context_{whom}"));
    }
    drawn + "```\n"
}

/// Every projection, by its feed, and the contexts whose topics it reads.
fn what_reads_whom() -> String {
    let mut drawn =
        "### Which read model reads whose topic\n\nThe boxes are feeds: the read models of one share a checkpoint.\n\n\
                     ```mermaid\nflowchart LR\n"
            .to_owned();
    for context in Context::ALL {
        line(&mut drawn, &node(context));
    }
    for feed in FEEDS {
        line(&mut drawn, &format!("subgraph feed_{}[{}]", feed.name, feed.name));
        for projection in feed.projections {
            line(&mut drawn, &format!("    view_{}([{}])", projection.name, projection.name));
        }
        line(&mut drawn, "end");
    }
    for projection in FEEDS.iter().flat_map(|feed| feed.projections) {
        for context in projection.reads {
            line(&mut drawn, &format!("context_{} --> view_{}", context.name(), projection.name));
        }
    }
    drawn + "```\n"
}

fn node(context: Context) -> String {
    format!("context_{}[{}]", context.name(), context.name())
}

fn line(drawn: &mut String, text: &str) {
    writeln!(drawn, "    {text}").expect("a string takes whatever is written");
}
