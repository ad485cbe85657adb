//! Puts the parts together and words the result. Main function: [`analyse`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

use crate::graph::Graph;
use crate::numbers::{Lost, Numbers};
use crate::program::{Place, Program};
use crate::result::{Chain, Fault, Module, ModuleReach, Origin, Reach, Reached, Step, Unresolved, Why};

/// Functions that load further files as code.
const LOADERS: [&str; 3] = ["dlopen", "dlmopen", "__libc_dlopen_mode"];

/// Calls that the kernel may end with ERESTART_RESTARTBLOCK, which makes the task call
/// restart_syscall(2) after a signal: users of set_restart_fn() in kernel/futex, kernel/time and
/// fs/select.c.
const RESTARTED: [&str; 4] = ["nanosleep", "clock_nanosleep", "poll", "futex"];

/// Finds which syscalls the code of some files could make.
///
/// # Errors
///
/// [`Fault`] if there is no program among the files, or one of them cannot be analysed.
pub fn analyse(modules: &[Module]) -> Result<Reach, Fault> {
    Ok(analyse_if(modules, |_| true)?.unwrap_or_default())
}

/// Finds which syscalls the code of some files could make, unless these are not all files: that is
/// judged by what is reached in each of them.
///
/// # Errors
///
/// As [`analyse`].
pub(crate) fn analyse_if(
    modules: &[Module],
    is_complete: impl FnOnce(&[ModuleReach]) -> bool,
) -> Result<Option<Reach>, Fault> {
    if !modules.iter().any(|module| module.origin == Origin::Program) {
        return Err(Fault::NoProgram);
    }
    let program = Program::read(modules)?;
    let graph = Graph::of(&program);
    let words = Words { program: &program, graph: &graph };
    let mut reach = Reach { modules: words.modules(), ..Reach::default() };
    if !is_complete(&reach.modules) {
        return Ok(None);
    }
    let numbers = Numbers::of(&program, &graph);
    for place in &graph.order {
        let Some(node) = graph.nodes.get(place) else { continue };
        for site in &node.sites {
            reach.sites += 1;
            let calls = vec![(*place, site.at)];
            if site.is_compatibility {
                reach.unresolved.push(Unresolved { why: Why::Compatibility, chain: words.chain(&calls) });
                continue;
            }
            let found = numbers.at(*place, site.at);
            for ((number, _), calls) in &found.numbers {
                // The kernel uses the lower half: do_syscall_64(), arch/x86/entry/common.c.
                let syscall = Syscall::of_x86_64(i64::from(*number as u32 as i32));
                reach.calls.entry(syscall).or_insert_with(|| words.chain(calls));
            }
            for (lost, calls) in &found.lost {
                reach.unresolved.push(Unresolved { why: words.why(*lost, *place), chain: words.chain(calls) });
            }
        }
        let undecodable = node.undecodable.iter().map(|at| (Why::Undecodable, *at));
        for (why, at) in undecodable {
            reach.unresolved.push(Unresolved { why, chain: words.chain(&[(*place, at)]) });
        }
    }
    for (place, at) in &graph.dead_ends {
        reach.unresolved.push(Unresolved { why: Why::NoFunction, chain: words.chain(&[(*place, *at)]) });
    }
    let position = |unresolved: &Unresolved| unresolved.chain.steps.last().map(|step| (step.module, step.at));
    reach.unresolved.sort_by_key(|it| (position(it), it.why.clone()));
    reach.unresolved.dedup_by_key(|it| (position(it), it.why.clone()));
    add_restart(&mut reach.calls);
    let executes = |(syscall, chain): (&Syscall, &Chain)| syscall.is_execute().then(|| chain.clone());
    reach.executes_programs = reach.calls.iter().find_map(executes);
    reach.loads_modules = words.way_to(&LOADERS);
    Ok(Some(reach))
}

/// Adds the call that the kernel makes to resume another one.
fn add_restart(calls: &mut BTreeMap<Syscall, Chain>) {
    let syscall = |name| Syscall::from_name(Abi::X86_64, name);
    let Some(restart) = syscall("restart_syscall") else { return };
    let resumed = RESTARTED.iter().filter_map(|name| syscall(name)).find_map(|it| Some((it, calls.get(&it)?.clone())));
    if let Some((resumed, chain)) = resumed {
        calls.entry(restart).or_insert(Chain { resumes: Some(resumed), ..chain });
    }
}

/// Words places as steps.
struct Words<'g, 'p, 'd> {
    program: &'p Program<'d>,
    graph: &'g Graph<'p, 'd>,
}

impl Words<'_, '_, '_> {
    fn modules(&self) -> Vec<ModuleReach> {
        let mut reached: HashMap<usize, BTreeSet<u64>> = HashMap::new();
        for place in self.graph.nodes.keys() {
            // Code that is entered at several addresses counts once.
            if let Some(function) = self.program.image(place.module).function(place.address) {
                reached.entry(place.module).or_default().insert(function.start);
            }
        }
        let module = |(index, module): (usize, &Module)| ModuleReach {
            path: module.path.clone(),
            origin: module.origin.clone(),
            build_id: crate::image::Header::read(&module.path, &module.bytes).ok().and_then(|header| header.build_id),
            functions: self.program.image(index).functions.len(),
            reached: reached.get(&index).map_or(0, BTreeSet::len),
            reached_exports: self.reached_exports(index),
        };
        self.program.modules.iter().enumerate().map(module).collect()
    }

    /// Returns the chain from a root over the given code and instructions, each of which calls the
    /// next one.
    fn chain(&self, calls: &[(Place, u64)]) -> Chain {
        let mut steps = Vec::new();
        let (mut place, mut at) = calls.first().copied().unwrap_or((Place { module: 0, address: 0 }, 0));
        while let Some(node) = self.graph.nodes.get(&place) {
            steps.push(self.step(place, at, node.how));
            match node.from {
                Some(from) => (place, at) = from,
                None => break,
            }
        }
        steps.reverse();
        let further = calls.iter().skip(1).map(|(place, at)| self.step(*place, *at, Reached::Called));
        steps.extend(further);
        Chain { steps, resumes: None }
    }

    fn step(&self, place: Place, at: u64, reached: Reached) -> Step {
        Step { module: place.module, function: self.name(place), start: place.address, at, reached }
    }

    /// Returns the demangled name of the function at a place.
    fn name(&self, place: Place) -> Option<String> {
        let image = self.program.image(place.module);
        let function = image.function(place.address)?;
        let name = image.name(place.address).or_else(|| image.name(function.start))?;
        let name = String::from_utf8_lossy(name);
        Some(addr2line::demangle_auto(Cow::Borrowed(&name), None).into_owned())
    }

    fn why(&self, lost: Lost, site: Place) -> Why {
        let named = |place: Place| {
            let name = self.name(place).unwrap_or_else(|| format!("{:#x}", place.address));
            (place.module, name)
        };
        match lost {
            Lost::Computed(place) => Why::Number { lost_in: (place != site).then(|| named(place)) },
            Lost::Pointer(place) => Why::CalledThroughPointer { function: named(place) },
            Lost::Jump(..) => Why::Jump,
        }
    }

    /// Returns a way to the first of these functions that is reached.
    fn way_to(&self, names: &[&str]) -> Option<Chain> {
        let is_one = |place: &&Place| {
            let name = self.program.image(place.module).name(place.address);
            name.is_some_and(|name| names.iter().any(|it| it.as_bytes() == name))
        };
        let place = self.graph.order.iter().find(is_one)?;
        Some(self.chain(&[(*place, place.address)]))
    }

    /// Returns the names of exported functions of a file that are reached.
    fn reached_exports(&self, module: usize) -> BTreeSet<String> {
        let is_reached = |addresses: &[u64]| {
            addresses.iter().any(|it| self.graph.nodes.contains_key(&Place { module, address: *it }))
        };
        let exports = self.program.image(module).exports.iter().filter(|(_, addresses)| is_reached(addresses));
        exports.map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }
}
