//! The module tree of a crate and what each module uses, read by syn. Main type: [`Crate`].
//!
//! Code that only tests have is left out. Paths inside macros are read from their tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Item, UseTree};

/// A path from the root of its crate, such as `["model", "guard"]`; the root is empty.
pub(crate) type ModulePath = Vec<String>;

/// All modules of a crate.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

/// One module, in a file of its own or not.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Names that `use` brings in, with the paths they stand for.
    imported: BTreeMap<String, Vec<String>>,
    /// Modules of which `use` brings in everything.
    globs: Vec<Vec<String>>,
    /// Every path that is written in it.
    paths: BTreeSet<Vec<String>>,
}

impl Crate {
    /// Reads the crate with this root file.
    pub(crate) fn read(root: &Path) -> Self {
        let mut found = Self::default();
        let text = fs::read_to_string(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
        let folder = root.parent().expect("a root file lies in a folder");
        found.add(Vec::new(), folder, &parsed(root, &text).items);
        found
    }

    /// Reads a crate from the text of its root module.
    pub(crate) fn of(text: &str) -> Self {
        let mut found = Self::default();
        found.add(Vec::new(), Path::new(""), &parsed(Path::new("lib.rs"), text).items);
        found
    }

    /// Adds a module with its items; `folder` is where the files of its children are.
    fn add(&mut self, path: ModulePath, folder: &Path, items: &[Item]) {
        let mut module = Module::default();
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let below: ModulePath = path.iter().cloned().chain([name.clone()]).collect();
                    if let Some((_, items)) = &child.content {
                        self.add(below, &folder.join(&name), items);
                    } else {
                        self.add_file(below, folder, &name);
                    }
                }
                Item::Use(item) => module.add_use(&item.tree, Vec::new()),
                other => Paths(&mut module.paths).visit_item(other),
            }
        }
        self.modules.insert(path, module);
    }

    fn add_file(&mut self, path: ModulePath, folder: &Path, name: &str) {
        let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs"));
        let file = if flat.is_file() { flat } else { nested };
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.add(path, &folder.join(name), &parsed(&file, &text).items);
    }

    /// Returns the modules of this crate that a module uses, and the paths of other crates.
    pub(crate) fn used_by(&self, path: &ModulePath) -> (BTreeSet<ModulePath>, BTreeSet<Vec<String>>) {
        let module = &self.modules[path];
        let written = module.paths.iter().chain(module.imported.values()).chain(&module.globs);
        let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
        for words in written {
            match self.resolve(path, words) {
                Some(target) => drop(own.insert(target)),
                None => drop(foreign.insert(words.clone())),
            }
        }
        own.remove(path);
        (own, foreign)
    }

    /// Returns the module that defines what these words mean in a module; nothing for another
    /// crate.
    fn resolve(&self, from: &ModulePath, words: &[String]) -> Option<ModulePath> {
        let mut seen = BTreeSet::new();
        self.resolve_once(from, words, &mut seen)
    }

    fn resolve_once(
        &self,
        from: &ModulePath,
        words: &[String],
        seen: &mut BTreeSet<(ModulePath, Vec<String>)>,
    ) -> Option<ModulePath> {
        if !seen.insert((from.clone(), words.to_vec())) {
            return None;
        }
        let (first, mut rest) = words.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.clone(),
            "super" => {
                let mut at = from.clone();
                at.pop()?;
                while let Some((_, more)) = rest.split_first().filter(|(word, _)| *word == "super") {
                    at.pop()?;
                    rest = more;
                }
                at
            }
            name => return self.named(from, name, rest, seen),
        };
        while let Some((name, more)) = rest.split_first() {
            let child: ModulePath = at.iter().cloned().chain([name.clone()]).collect();
            if self.modules.contains_key(&child) {
                (at, rest) = (child, more);
            } else {
                return self.named(&at, name, more, seen).or(Some(at));
            }
        }
        Some(at)
    }

    /// What a name means in a module: a child of it, something imported, or nothing of this crate.
    fn named(
        &self,
        from: &ModulePath,
        name: &str,
        rest: &[String],
        seen: &mut BTreeSet<(ModulePath, Vec<String>)>,
    ) -> Option<ModulePath> {
        let module = self.modules.get(from)?;
        let child: ModulePath = from.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            let words: Vec<String> = ["self".to_owned(), name.to_owned()].into_iter().chain(rest.to_vec()).collect();
            return self.resolve_once(from, &words, seen);
        }
        if let Some(target) = module.imported.get(name) {
            let words: Vec<String> = target.iter().chain(rest).cloned().collect();
            return self.resolve_once(from, &words, seen);
        }
        None
    }
}

impl Module {
    fn add_use(&mut self, tree: &UseTree, mut before: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_use(&path.tree, before);
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = before.last().cloned() {
                    self.imported.insert(last, before);
                }
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.imported.insert(name.ident.to_string(), before);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    before.push(rename.ident.to_string());
                }
                // Several imports may be renamed to `_`.
                let name = if rename.rename == "_" { before.join("::") } else { rename.rename.to_string() };
                self.imported.insert(name, before);
            }
            UseTree::Glob(_) => self.globs.push(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(tree, before.clone())),
        }
    }
}

/// Collects every path of an item.
struct Paths<'a>(&'a mut BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.visit_path(&invoked.path);
        add_tokens(self.0, invoked.tokens.clone());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // Inside a function: only the paths count.
        let mut module = Module::default();
        module.add_use(&item.tree, Vec::new());
        self.0.extend(module.imported.into_values().chain(module.globs));
    }
}

/// Adds each `a::b::c` among the tokens of a macro.
fn add_tokens(paths: &mut BTreeSet<Vec<String>>, tokens: TokenStream) {
    let mut words: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if colons == 2 => words.push(word.to_string()),
            TokenTree::Ident(word) => {
                paths.extend((!words.is_empty()).then(|| std::mem::take(&mut words)));
                words = vec![word.to_string()];
            }
            TokenTree::Punct(point) if point.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Group(group) => {
                paths.extend((!words.is_empty()).then(|| std::mem::take(&mut words)));
                add_tokens(paths, group.stream());
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                paths.extend((!words.is_empty()).then(|| std::mem::take(&mut words)));
            }
        }
        colons = 0;
    }
    paths.extend((!words.is_empty()).then_some(words));
}

fn parsed(file: &Path, text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Whether an item is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test")))
    })
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

/// Returns the cycles among siblings: groups of modules with one parent that use each other,
/// whatever depth below them does so.
pub(crate) fn cycles(read: &Crate) -> Vec<Cycle> {
    let mut siblings: BTreeMap<ModulePath, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
    for from in read.modules.keys() {
        for to in read.used_by(from).0 {
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            // A module and its own parent or child are one thing to a reader.
            let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) else { continue };
            let edges = siblings.entry(from[..shared].to_vec()).or_default().entry(a.clone()).or_default();
            edges.entry(b.clone()).or_insert_with(|| format!("{} uses {}", from.join("::"), to.join("::")));
        }
    }
    let mut found = Vec::new();
    for (parent, edges) in &siblings {
        let reachable = |start: &str| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
            while let Some(at) = next.pop() {
                for to in edges.get(at).into_iter().flat_map(BTreeMap::keys) {
                    if seen.insert(to.as_str()) {
                        next.push(to);
                    }
                }
            }
            seen
        };
        let mut grouped: BTreeSet<&str> = BTreeSet::new();
        for name in edges.keys() {
            let around: BTreeSet<&str> =
                reachable(name).into_iter().filter(|other| reachable(other).contains(name.as_str())).collect();
            if grouped.contains(name.as_str()) || !around.contains(name.as_str()) {
                continue;
            }
            grouped.extend(&around);
            let inner = edges.iter().filter(|(from, _)| around.contains(from.as_str()));
            let inner = inner.flat_map(|(_, to)| to.iter().filter(|(to, _)| around.contains(to.as_str())));
            found.push(Cycle {
                parent: parent.join("::"),
                members: around.iter().map(|member| (*member).to_owned()).collect(),
                edges: inner.map(|(_, reason)| reason.clone()).collect(),
            });
        }
    }
    found
}

/// Modules that use each other.
pub(crate) struct Cycle {
    pub(crate) parent: String,
    pub(crate) members: Vec<String>,
    /// One use for each pair.
    pub(crate) edges: Vec<String>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "below `{}`: {}: {}", self.parent, self.members.join(", "), self.edges.join("; "))
    }
}
