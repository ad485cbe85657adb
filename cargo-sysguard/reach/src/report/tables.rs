//! The tables of a reach, as every format for readers has them. Main type: [`Table`].

use super::names::{self, escaped};
use super::record::{CallRecord, ModuleRecord, ReachRecord};
use super::steps::ChainRecord;
use super::words;

/// A table of text. Foreign text in it is escaped for a line, but not for a format.
pub(super) struct Table {
    /// The names of the columns.
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { head: head.iter().copied().map(str::to_owned).collect(), rows }
    }
}

/// How many plug-ins of one component have rows of their own.
const PLUG_INS: usize = 8;

/// Returns the calls by subsystem. Without a run, there is no column for observed ones.
pub(super) fn calls(record: &ReachRecord) -> Table {
    let rows = record.calls.iter().map(|call| {
        let mut row = vec![escaped(&call.subsystem), name(call, record)];
        row.extend(call.observed.map(|observed| yes(observed).to_owned()));
        row.push(yes(call.chain.is_some()).to_owned());
        row.push(call.chain.as_ref().map(|chain| names::way(record, chain)).unwrap_or_default());
        row
    });
    let rows = rows.collect();
    match &record.run {
        Some(_) => Table::new(&["subsystem", "syscall", "observed", "reachable", "why"], rows),
        None => Table::new(&["subsystem", "syscall", "reachable", "why"], rows),
    }
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "-" }
}

/// Returns a call with its ABI, if that is not the program's own: `openat (i386)`.
fn name(call: &CallRecord, record: &ReachRecord) -> String {
    let name = escaped(&call.name);
    if call.abi == record.arch { name } else { format!("{name} ({})", escaped(&call.abi)) }
}

/// Returns the modules. Many plug-ins of one component share a row.
pub(super) fn modules(record: &ReachRecord) -> Table {
    let (mut rows, mut summed) = (Vec::new(), Vec::new());
    for module in &record.modules {
        let others =
            || record.modules.iter().filter(|other| (&other.origin, &other.by) == (&module.origin, &module.by));
        if module.origin != "plug-in" || others().count() <= PLUG_INS {
            rows.push(row(module));
        } else if !summed.contains(&&module.by) {
            summed.push(&module.by);
            let sum = |of: fn(&ModuleRecord) -> u64| others().map(of).sum::<u64>();
            rows.push(vec![
                format!("{} files in {}", others().count(), folder(&module.path)),
                words::origin(module),
                "(--format json lists them)".to_owned(),
                share(sum(|module| module.reached), sum(|module| module.functions)),
            ]);
        }
    }
    Table::new(&["module", "why", "content", "functions reached"], rows)
}

fn row(module: &ModuleRecord) -> Vec<String> {
    vec![escaped(&module.path), words::origin(module), words::identity(module), share(module.reached, module.functions)]
}

fn share(reached: u64, functions: u64) -> String {
    format!("{reached} of {functions}")
}

fn folder(path: &str) -> String {
    let folder = std::path::Path::new(path).parent().map(|folder| folder.to_string_lossy());
    escaped(&folder.unwrap_or_default())
}

/// Returns the steps of a way.
pub(super) fn steps(record: &ReachRecord, chain: &ChainRecord) -> Table {
    let rows = chain.steps.iter().map(|step| {
        vec![
            names::function(record, step),
            names::module(record, step),
            words::reached(step),
            step.source.as_ref().map_or_else(|| format!("{:#x}", step.at), |source| escaped(source)),
        ]
    });
    Table::new(&["function", "module", "reached as", "leads on at"], rows.collect())
}

/// Returns the title of a way.
pub(super) fn way_title(record: &ReachRecord, call: &str) -> (String, Option<ChainRecord>) {
    let found = record.calls.iter().find(|it| it.name == call).and_then(|call| call.chain.clone());
    let title = match &found {
        Some(ChainRecord { resumes: Some(resumed), .. }) => {
            format!(
                "A way to {}, which the kernel makes itself to resume {} after a signal",
                escaped(call),
                escaped(resumed)
            )
        }
        Some(_) => format!("A way to {}", escaped(call)),
        None if record.upper_bound => format!("{}: not reachable", escaped(call)),
        None => format!("{}: no way was found, but there is no upper bound", escaped(call)),
    };
    (title, found)
}
