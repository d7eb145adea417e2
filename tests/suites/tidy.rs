//! Limits the size of files and functions, and forbids cycles between the modules of a crate. Tests are not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use proc_macro2::LineColumn;
use promptlooper_tests::support::effort;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, ItemMod, Signature};

const MOST_LINES_OF_A_FILE: usize = 300;
const MOST_LINES_OF_A_FUNCTION: usize = 40;
const MOST_ARGUMENTS: usize = 5;
/// How many of the largest are printed.
const WORST: usize = 10;

/// Facts about the sources of a crate.
#[derive(Default)]
struct Sources {
    files: Vec<(usize, String)>,
    functions: Vec<(usize, String)>,
    arguments: Vec<(usize, String)>,
    /// For each top-level module, the top-level modules that it names.
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// Visits one file.
struct Reader<'a> {
    sources: &'a mut Sources,
    file: String,
    /// The top-level module that the file belongs to; empty for the root.
    top: String,
    /// Lines of inline test modules.
    tests: usize,
    /// Modules in files of their own.
    inner: Vec<(String, Option<String>)>,
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Meta>().is_ok_and(|meta| match meta {
                syn::Meta::Path(path) => path.is_ident("test"),
                syn::Meta::List(list) => {
                    list.path.is_ident("any") && list.tokens.to_string().contains("test")
                }
                syn::Meta::NameValue(_) => false,
            })
    })
}

fn lines(start: LineColumn, end: LineColumn) -> usize {
    end.line - start.line + 1
}

impl Reader<'_> {
    fn function(&mut self, signature: &Signature, end: LineColumn) {
        let start = signature.fn_token.span.start();
        let place = format!("{}:{} {}", self.file, start.line, signature.ident);
        let arguments = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        self.sources.functions.push((lines(start, end), place.clone()));
        self.sources.arguments.push((arguments, place));
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if is_for_tests(&module.attrs) {
            let span = module.span();
            self.tests += if module.content.is_some() { lines(span.start(), span.end()) } else { 0 };
            return;
        }
        if module.content.is_some() {
            return visit::visit_item_mod(self, module);
        }
        let path = module.attrs.iter().find_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        self.inner.push((module.ident.to_string(), path));
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if is_for_tests(&function.attrs) {
            return;
        }
        self.function(&function.sig, function.block.span().end());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if is_for_tests(&function.attrs) {
            return;
        }
        self.function(&function.sig, function.block.span().end());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.function(&function.sig, function.span().end());
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            let mut first = BTreeSet::new();
            heads(&path.tree, &mut first);
            self.sources.uses.entry(self.top.clone()).or_default().extend(first);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(second) = segments.next()
        {
            self.sources.uses.entry(self.top.clone()).or_default().insert(second.ident.to_string());
        }
        visit::visit_path(self, path);
    }
}

/// The first segments of a tree of `use crate::…`.
fn heads(tree: &syn::UseTree, found: &mut BTreeSet<String>) {
    match tree {
        syn::UseTree::Path(path) => drop(found.insert(path.ident.to_string())),
        syn::UseTree::Name(name) => drop(found.insert(name.ident.to_string())),
        syn::UseTree::Rename(name) => drop(found.insert(name.ident.to_string())),
        syn::UseTree::Glob(_) => {}
        syn::UseTree::Group(group) => group.items.iter().for_each(|item| heads(item, found)),
    }
}

impl Sources {
    /// Reads a file, and the files of its modules.
    fn read(&mut self, root: &Path, file: &Path, top: &str) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = syn::parse_file(&text).unwrap();
        let name = file.strip_prefix(root).unwrap().display().to_string();
        let mut reader =
            Reader { sources: self, file: name.clone(), top: top.to_owned(), tests: 0, inner: Vec::new() };
        for item in &parsed.items {
            reader.visit_item(item);
        }
        let (tests, inner) = (reader.tests, reader.inner);
        self.files.push((text.lines().count() - tests, name));
        for (module, path) in inner {
            let inner_top = if top.is_empty() { module.clone() } else { top.to_owned() };
            self.read(root, &file_of(file, &module, path), &inner_top);
        }
    }

    /// A cycle of top-level modules that name each other, if there is one.
    fn circle(&self) -> Option<Vec<String>> {
        let mut over = BTreeSet::new();
        self.uses.keys().find_map(|module| self.circle_from(module, &mut Vec::new(), &mut over))
    }

    fn circle_from(
        &self,
        module: &String,
        way: &mut Vec<String>,
        over: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(at) = way.iter().position(|passed| passed == module) {
            return Some(way[at..].to_vec());
        }
        if !over.contains(module) {
            way.push(module.clone());
            let named = self.uses.get(module).into_iter().flatten().filter(|named| *named != module);
            for named in named.filter(|named| self.uses.contains_key(*named)) {
                if let Some(circle) = self.circle_from(named, way, over) {
                    return Some(circle);
                }
            }
            way.pop();
            over.insert(module.clone());
        }
        None
    }
}

fn file_of(parent: &Path, module: &str, path: Option<String>) -> PathBuf {
    let folder = parent.parent().unwrap();
    if let Some(path) = path {
        return folder.join(path);
    }
    let stem = parent.file_stem().unwrap();
    let folder = if ["lib", "main", "mod"].iter().any(|root| stem == *root) {
        folder.to_owned()
    } else {
        folder.join(stem)
    };
    let file = folder.join(format!("{module}.rs"));
    if file.exists() { file } else { folder.join(module).join("mod.rs") }
}

/// The sources of each crate except those of tests, by name.
fn crates() -> BTreeMap<String, Sources> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let root = metadata.workspace_root.as_std_path();
    let mut crates = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| package.name.as_str() != "promptlooper-tests") {
        let mut sources = Sources::default();
        for target in package.targets.iter().filter(|target| target.is_lib() || target.is_bin()) {
            sources.read(root, target.src_path.as_std_path(), "");
        }
        crates.insert(package.name.to_string(), sources);
    }
    crates
}

/// Prints the largest, and returns those above the limit.
fn beyond(what: &str, limit: usize, mut found: Vec<(usize, String)>) -> Vec<String> {
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    effort::report(&format!("{what}: at most {limit}; the worst of {}:", found.len()));
    for (size, place) in found.iter().take(WORST) {
        effort::report(&format!("  {size:>4} {place}"));
    }
    let beyond = found.into_iter().filter(|(size, _)| *size > limit);
    beyond.map(|(size, place)| format!("{size} {place}")).collect()
}

#[test]
fn files_and_functions_are_short() {
    let crates = crates();
    let all = |of: fn(&Sources) -> &Vec<(usize, String)>| crates.values().flat_map(of).cloned().collect();
    let files = beyond("lines of a file", MOST_LINES_OF_A_FILE, all(|sources| &sources.files));
    let functions =
        beyond("lines of a function", MOST_LINES_OF_A_FUNCTION, all(|sources| &sources.functions));
    let arguments = beyond("arguments of a function", MOST_ARGUMENTS, all(|sources| &sources.arguments));
    let found = [files, functions, arguments].concat();
    assert_eq!(found, Vec::<String>::new(), "{} are too large", found.len());
}

#[test]
fn modules_do_not_depend_on_each_other_in_circles() {
    let circles: Vec<String> = crates()
        .into_iter()
        .filter_map(|(name, sources)| Some(format!("{name}: {}", sources.circle()?.join(" → "))))
        .collect();
    assert_eq!(circles, Vec::<String>::new());
}
