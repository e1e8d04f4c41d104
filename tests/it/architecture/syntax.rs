//! What the rules read of a Rust file, taken from its syntax tree: names, functions, paths and matches.

use proc_macro2::{TokenStream, TokenTree};
use std::ops::RangeInclusive;
use syn::{
    Attribute, Expr, ExprMatch, Field, ImplItem, Item, ItemImpl, ItemMod, ItemUse, Macro, Pat, Signature, Type,
    UseTree, Variant, Visibility, spanned::Spanned, visit, visit::Visit,
};

/// What the rules know of one Rust file.
#[derive(Debug, Clone, Default)]
pub struct Syntax {
    pub functions: Vec<Function>,
    pub names: Vec<Name>,
    pub paths: Vec<Path>,
    pub imports: Vec<Import>,
    pub matches: Vec<Match>,
    /// The lines of unit tests inside the file.
    pub tests: Vec<RangeInclusive<usize>>,
}

/// A function with a body: the line of its `fn`, and how many lines it takes up to its last brace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
    pub in_test: bool,
}

/// What a name is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    Type,
    Function,
    Module,
    Field,
    Variant,
    Constant,
    Macro,
}

/// A name that the file gives, with the text of its doc comment.
#[derive(Debug, Clone)]
pub struct Name {
    pub what: Named,
    pub text: String,
    pub line: usize,
    pub public: bool,
    pub doc: String,
}

/// A path as it is written, in a `use`, an expression, a type, a pattern, an attribute or a macro.
#[derive(Debug, Clone)]
pub struct Path {
    /// The inline modules around it.
    pub within: Vec<String>,
    pub segments: Vec<String>,
    pub line: usize,
    pub in_test: bool,
}

/// A name that a `use` brings into a module.
#[derive(Debug, Clone)]
pub struct Import {
    pub within: Vec<String>,
    pub name: String,
    pub path: Vec<String>,
    pub in_test: bool,
}

/// A `match`: the paths that its patterns name, and whether an arm takes whatever is left.
#[derive(Debug, Clone)]
pub struct Match {
    pub line: usize,
    pub patterns: Vec<Vec<String>>,
    pub has_wildcard: bool,
}

impl Syntax {
    /// Reads a source; the compiler has read it before.
    pub fn of(path: &str, text: &str) -> Self {
        let file = syn::parse_file(text).unwrap_or_else(|error| unreachable!("{path}: {error}"));
        let mut reader = Reader::default();
        reader.visit_file(&file);
        reader.syntax
    }
}

#[derive(Default)]
struct Reader {
    syntax: Syntax,
    within: Vec<String>,
    /// The types whose `impl` blocks are around.
    implemented: Vec<String>,
    in_test: bool,
}

impl Reader {
    fn name(&mut self, what: Named, ident: &syn::Ident, attributes: &[Attribute], visibility: Option<&Visibility>) {
        self.syntax.names.push(Name {
            what,
            text: ident.to_string(),
            line: ident.span().start().line,
            public: visibility.is_some_and(|visibility| matches!(visibility, Visibility::Public(_))),
            doc: doc(attributes),
        });
    }

    fn function(&mut self, signature: &Signature, body: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        let (name, lines) = (signature.ident.to_string(), last - first + 1);
        self.syntax.functions.push(Function { name, line: first, lines, in_test: self.in_test });
    }

    fn path(&mut self, segments: Vec<String>, line: usize) {
        let (within, in_test) = (self.within.clone(), self.in_test);
        self.syntax.paths.push(Path { within, segments, line, in_test });
    }

    fn within_test(
        &mut self,
        attributes: &[Attribute],
        lines: Option<RangeInclusive<usize>>,
        rest: impl FnOnce(&mut Self),
    ) {
        let before = self.in_test;
        if !before && is_test(attributes) {
            self.in_test = true;
            self.syntax.tests.extend(lines);
        }
        rest(self);
        self.in_test = before;
    }

    fn tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        let (end, name) = match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                return self.tree(&inner.tree, path);
            }
            UseTree::Group(group) => return group.items.iter().for_each(|item| self.tree(item, path.clone())),
            UseTree::Name(name) => (name.ident.to_string(), None),
            UseTree::Rename(rename) => (rename.ident.to_string(), Some(rename.rename.to_string())),
            UseTree::Glob(_) => ("*".to_owned(), None),
        };
        // `a::{self}` names a.
        if end != "self" {
            path.push(end);
        }
        let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
        self.path(path.clone(), tree.span().start().line);
        self.syntax.imports.push(Import { within: self.within.clone(), name, path, in_test: self.in_test });
    }

    /// The paths of a macro's or an attribute's tokens, which have no tree.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut found: Vec<(Vec<String>, usize)> = Vec::new();
        let (mut joined, mut colons) = (false, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    match found.last_mut() {
                        Some((path, _)) if joined => path.push(ident.to_string()),
                        _ => found.push((vec![ident.to_string()], ident.span().start().line)),
                    }
                    (joined, colons) = (false, 0);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    joined = colons == 2;
                }
                TokenTree::Group(group) => {
                    self.tokens(group.stream());
                    (joined, colons) = (false, 0);
                }
                _ => (joined, colons) = (false, 0),
            }
        }
        for (path, line) in found {
            self.path(path, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let declaration = matches!(item, Item::Mod(module) if module.content.is_none());
        let lines = (!declaration).then(|| item.span().start().line..=item.span().end().line);
        self.within_test(attributes(item), lines, |reader| visit::visit_item(reader, item));
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = if let ImplItem::Fn(function) = item { &function.attrs[..] } else { &[] };
        let lines = item.span().start().line..=item.span().end().line;
        self.within_test(attributes, Some(lines), |reader| visit::visit_impl_item(reader, item));
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.name(Named::Module, &module.ident, &module.attrs, Some(&module.vis));
        self.within.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.within.pop();
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        let own = if let Type::Path(path) = &*block.self_ty { segments(&path.path) } else { Vec::new() };
        self.implemented.push(own.last().cloned().unwrap_or_default());
        visit::visit_item_impl(self, block);
        self.implemented.pop();
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        self.tree(&import.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(segments(path), path.span().start().line);
        visit::visit_path(self, path);
    }

    /// `pub(super)` says who may use a thing, and uses nothing itself.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Ok(list) = attribute.meta.require_list() {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_expr_match(&mut self, found: &'ast ExprMatch) {
        let mut patterns = Patterns { paths: Vec::new(), own: self.implemented.last().cloned() };
        found.arms.iter().for_each(|arm| patterns.visit_pat(&arm.pat));
        let has_wildcard = found.arms.iter().any(|arm| takes_all(&arm.pat));
        let line = found.match_token.span.start().line;
        self.syntax.matches.push(Match { line, patterns: patterns.paths, has_wildcard });
        visit::visit_expr_match(self, found);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.name(Named::Function, &function.sig.ident, &function.attrs, Some(&function.vis));
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.name(Named::Function, &function.sig.ident, &function.attrs, Some(&function.vis));
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.name(Named::Function, &function.sig.ident, &function.attrs, None);
        if let Some(body) = &function.default {
            self.function(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.name(Named::Type, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.name(Named::Type, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.name(Named::Type, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.name(Named::Type, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_type(self, item);
    }

    fn visit_trait_item_type(&mut self, item: &'ast syn::TraitItemType) {
        self.name(Named::Type, &item.ident, &item.attrs, None);
        visit::visit_trait_item_type(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.name(Named::Constant, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.name(Named::Constant, &item.ident, &item.attrs, Some(&item.vis));
        visit::visit_item_static(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if let Some(ident) = &item.ident {
            self.name(Named::Macro, ident, &item.attrs, None);
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(ident) = &field.ident {
            self.name(Named::Field, ident, &field.attrs, Some(&field.vis));
        }
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.name(Named::Variant, &variant.ident, &variant.attrs, None);
        visit::visit_variant(self, variant);
    }
}

/// Gathers the paths of patterns; `Self` is the type whose `impl` block is around.
struct Patterns {
    paths: Vec<Vec<String>>,
    own: Option<String>,
}

impl<'ast> Visit<'ast> for Patterns {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut path = segments(path);
        if let (Some(first), Some(own)) = (path.first_mut().filter(|first| *first == "Self"), &self.own) {
            first.clone_from(own);
        }
        self.paths.push(path);
    }

    /// A guard is no pattern.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// Whether a pattern takes every value: `_`, a bare name, or a tuple of such.
fn takes_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => {
            name.subpat.is_none() && name.ident.to_string().starts_with(|first: char| !first.is_uppercase())
        }
        Pat::Tuple(tuple) => tuple.elems.iter().all(takes_all),
        Pat::Paren(inner) => takes_all(&inner.pat),
        Pat::Or(either) => either.cases.iter().any(takes_all),
        _ => false,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("cfg") {
            let condition = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
            let mut words = condition.split(|c: char| !c.is_alphanumeric());
            return words.any(|word| word == "test") && !condition.contains("not");
        }
        path.segments.last().is_some_and(|last| last.ident == "test")
    })
}

fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Expr::Lit(literal) = &attribute.meta.require_name_value().ok()?.value else { return None };
        if let syn::Lit::Str(text) = &literal.lit { Some(text.value()) } else { None }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_lengths() {
        let source = "trait T { fn no_body(&self, x: [u8; 3]); }\nfn one() -> &'static str { \"}\" }\n\nasync fn three(\n) {\n}\n";
        let found = Syntax::of("x.rs", source).functions;
        let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("one", 2, 1), ("three", 4, 3)]);
    }

    #[test]
    fn paths_are_found_in_imports_types_macros_and_attributes_but_not_in_text() {
        let source = "use a::{b as c, d::{self, *}};\n#[derive(e::F)]\npub(in n::o) struct S(g::H<i::J>);\nfn f() { k!(l::m(\"n::o\")); // p::q\n}";
        let found: Vec<String> = Syntax::of("x.rs", source).paths.iter().map(|path| path.segments.join("::")).collect();
        for expected in ["a::b", "a::d", "a::d::*", "e::F", "g::H", "i::J", "k", "l::m"] {
            assert!(found.iter().any(|path| path == expected), "{expected} not in {found:?}");
        }
        assert!(!found.iter().any(|path| path.starts_with('n') || path.starts_with('p')), "{found:?}");
    }

    #[test]
    fn tests_end_with_their_item() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[cfg(test)]\nmod other;\nfn c() {}\n#[cfg(not(test))]\nfn d() {}\n";
        let syntax = Syntax::of("x.rs", source);
        assert_eq!(syntax.tests, [2..=5]);
        let tested: Vec<bool> = syntax.functions.iter().map(|function| function.in_test).collect();
        assert_eq!(tested, [false, true, false, false]);
    }
}
