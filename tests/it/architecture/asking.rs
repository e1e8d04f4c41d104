//! Who asks which slice of write-api through its port.

use super::{files::File, modules::Crate};
use std::collections::{BTreeMap, BTreeSet};

/// From who asks and who is asked to the layers that ask. Who asks is a slice, or a module outside of all slices.
pub type Asking = BTreeMap<(String, String), BTreeSet<String>>;

const PORT: &str = "port";
const SLICES: &str = "contexts";

/// What production code names of the ports of other slices.
pub fn asking(files: &[File]) -> Asking {
    let own = Crate::of("write-api", files);
    let mut found = Asking::new();
    for (module, file) in &own.files {
        let (who, layer) = match &module[..] {
            [folder, slice, layer, ..] if folder == SLICES => (slice, layer),
            [outside, ..] if outside != SLICES => (outside, outside),
            // The library itself, and the list of slices, put everything together.
            _ => continue,
        };
        for path in file.syntax.paths.iter().filter(|path| !path.in_test) {
            match own.named(module, &path.within, &path.segments).as_deref() {
                Some([folder, slice, port, ..]) if folder == SLICES && port == PORT && slice != who => {
                    found.entry((who.clone(), slice.clone())).or_default().insert(layer.clone());
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn what_is_asked_of_another_port_is_found() {
    let file = |path: &str, text: &str| File::new(&format!("write-api/src/{path}.rs"), text);
    let found = asking(&[
        file("lib", "use contexts::b::port::B;"),
        file("jobs", "use crate::contexts::b::port::B;"),
        file("contexts", ""),
        file("contexts/a/commands", "use crate::contexts::{a::port::A, b::port::{self, B}};\nfn f() { port::g() }"),
        file("contexts/a/process/steps", "fn f() { crate::contexts::b::port::act::g() }"),
        file("contexts/a/port", ""),
        file("contexts/b/port", "pub mod act;"),
        file("contexts/b/port/act", ""),
        file("contexts/b/http", "#[cfg(test)]\nmod tests { use crate::contexts::a::port::A; }"),
    ]);
    let asked = |who: &str, layers: &[&str]| {
        ((who.to_owned(), "b".to_owned()), layers.iter().map(|layer| (*layer).to_owned()).collect())
    };
    assert_eq!(found, Asking::from([asked("a", &["commands", "process"]), asked("jobs", &["jobs"])]));
}
