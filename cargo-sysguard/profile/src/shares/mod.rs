//! What the samples of a profile say: shares of the time by syscall, subsystem and function. Main
//! type: [`Shares`].
//!
//! It is pure: it reads a [`Profile`] and the counts of a traced run.

mod counts;
mod entries;
mod origin;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::sync::Arc;

use kernel_source::CATCH_ALL;
use sysguard::unstable::model::attribution::entry_points;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall};

use crate::profile::{Frame, KernelFunction, KnownBy, Place, Profile, Stack, UserFunction};
pub use counts::{Count, Counts};
pub use origin::Origin;

/// The name of code without a known place, subsystem or section.
pub const UNKNOWN: &str = "(unknown)";

/// The name of a user function that its file has no symbol for.
pub const NO_SYMBOLS: &str = "(no symbols)";

/// A part of the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// Ticks: nanoseconds or cycles, see [`Clock`](crate::recording::Clock).
    pub ticks: u64,
    /// The number of samples.
    pub samples: u64,
}

impl Amount {
    fn of(stack: &Stack) -> Self {
        Self { ticks: stack.ticks, samples: stack.samples }
    }

    /// Returns its share of all ticks, from 0 to 1.
    pub fn share(self, all: Self) -> f64 {
        if all.ticks == 0 { 0.0 } else { self.ticks as f64 / all.ticks as f64 }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Self) {
        self.ticks += more.ticks;
        self.samples += more.samples;
    }
}

/// Shares of the samples of a profile. Lists begin with the largest share.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shares {
    /// All samples.
    pub all: Amount,
    /// Those in user mode.
    pub user: Amount,
    /// Those in the kernel.
    pub kernel: Amount,
    /// Why the program was in the kernel, syscalls that took no sample included.
    pub origins: Vec<OriginShare>,
    /// The kernel's time by the subsystem of the sampled function.
    pub subsystems: Vec<Group>,
    /// The kernel's time by section of MAINTAINERS.
    pub sections: Vec<Group>,
    /// Each kernel function on a stack.
    pub functions: Vec<FunctionShare>,
    /// User time by program or library.
    pub modules: Vec<Group>,
    /// How the places of sampled kernel functions are known.
    pub known: Known,
}

/// A reason to be in the kernel, and which code did the work.
#[derive(Debug, Clone, PartialEq)]
pub struct OriginShare {
    /// The reason.
    pub origin: Origin,
    /// The subsystem of a syscall's entry point.
    pub entry: Option<&'static str>,
    /// Its time.
    pub amount: Amount,
    /// How often the traced run made the call; `None` if there was no such run, or if it made none.
    pub count: Option<Count>,
    /// The time by subsystem of the sampled function.
    pub work: Vec<(Arc<str>, Amount)>,
}

/// Samples of a subsystem, section or file, with the functions that took them.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// Its time.
    pub amount: Amount,
    /// The sampled functions.
    pub functions: Vec<(Arc<str>, Amount)>,
}

/// A kernel function with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionShare {
    /// The function.
    pub function: Arc<KernelFunction>,
    /// Time in the function itself.
    pub own: Amount,
    /// Time in the function and in those that it called.
    pub total: Amount,
}

/// How the places of sampled kernel functions are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// By the name alone.
    pub name: Amount,
    /// By the functions next to it.
    pub neighbours: Amount,
    /// Not known.
    pub nothing: Amount,
}

/// Amounts by name.
type Amounts = BTreeMap<Arc<str>, Amount>;

/// What is added up over the stacks.
#[derive(Default)]
struct Sums {
    origins: BTreeMap<Origin, (Amount, Amounts)>,
    subsystems: BTreeMap<Arc<str>, (Amount, Amounts)>,
    sections: BTreeMap<Arc<str>, (Amount, Amounts)>,
    functions: BTreeMap<Arc<KernelFunction>, (Amount, Amount)>,
    modules: BTreeMap<Arc<str>, (Amount, Amounts)>,
}

impl Shares {
    /// Adds up the stacks of a profile. The counts are those of another, traced run.
    pub fn of(profile: &Profile, counts: Option<&Counts>) -> Self {
        let (mut shares, mut sums) = (Self::default(), Sums::default());
        for stack in &profile.stacks {
            let amount = Amount::of(stack);
            shares.all += amount;
            if stack.in_kernel {
                shares.kernel += amount;
                sums.add_kernel(&mut shares.known, stack, counts);
            } else {
                shares.user += amount;
                sums.add_user(stack);
            }
        }
        shares.origins = origins(sums.origins, counts);
        shares.subsystems = groups(sums.subsystems);
        shares.sections = groups(sums.sections);
        shares.modules = groups(sums.modules);
        let function = |(function, (own, total))| FunctionShare { function, own, total };
        shares.functions = sums.functions.into_iter().map(function).collect();
        shares.functions.sort_by_key(|share| Reverse((share.own, share.total)));
        shares
    }
}

impl Sums {
    fn add_kernel(&mut self, known: &mut Known, stack: &Stack, counts: Option<&Counts>) {
        let amount = Amount::of(stack);
        let functions: Vec<&Arc<KernelFunction>> = kernel_functions(stack).collect();
        let mut origin = Origin::of(functions.iter().map(|function| function.name.as_str()));
        if let (Origin::Syscall { abi, names }, Some(counts)) = (&mut origin, counts) {
            *names = counts.called(*abi, names);
        }
        let sampled = functions.first().copied();
        let place = sampled.and_then(|function| function.place.as_ref());
        let unknown = || Arc::from(UNKNOWN);
        let subsystem = place.map_or_else(unknown, |place| Arc::clone(&place.subsystem));
        let (all, work) = self.origins.entry(origin).or_default();
        *all += amount;
        *work.entry(Arc::clone(&subsystem)).or_default() += amount;
        let Some(sampled) = sampled else { return };
        *match sampled.known_by {
            KnownBy::Name => &mut known.name,
            KnownBy::Neighbours => &mut known.neighbours,
            KnownBy::Nothing => &mut known.nothing,
        } += amount;
        let section = place.map_or_else(unknown, section);
        let name: Arc<str> = Arc::from(kernel_name(sampled));
        for (groups, group) in [(&mut self.subsystems, subsystem), (&mut self.sections, section)] {
            add(groups, group, Arc::clone(&name), amount);
        }
        self.functions.entry(Arc::clone(sampled)).or_default().0 += amount;
        // A function that calls itself is counted once.
        for function in functions.into_iter().collect::<BTreeSet<_>>() {
            self.functions.entry(Arc::clone(function)).or_default().1 += amount;
        }
    }

    fn add_user(&mut self, stack: &Stack) {
        let amount = Amount::of(stack);
        match stack.frames.first() {
            Some(Frame::User(function)) => {
                add(&mut self.modules, Arc::clone(&function.file), Arc::from(user_name(function)), amount);
            }
            _ => add(&mut self.modules, Arc::from(UNKNOWN), Arc::from(UNKNOWN), amount),
        }
    }
}

/// Returns the section of MAINTAINERS that covers a file.
fn section(place: &Place) -> Arc<str> {
    place.section.clone().unwrap_or_else(|| Arc::from(CATCH_ALL))
}

/// Returns the kernel functions of a stack, innermost first.
fn kernel_functions(stack: &Stack) -> impl Iterator<Item = &Arc<KernelFunction>> {
    stack.frames.iter().filter_map(|frame| match frame {
        Frame::Kernel(function) => Some(function),
        Frame::User(_) => None,
    })
}

/// Returns the name of a kernel function, with its module: `nft_do_chain [nf_tables]`.
pub fn kernel_name(function: &KernelFunction) -> String {
    match &function.module {
        Some(module) => format!("{} [{module}]", function.name),
        None => function.name.clone(),
    }
}

/// Returns the name of a user function.
pub fn user_name(function: &UserFunction) -> &str {
    function.name.as_deref().unwrap_or(NO_SYMBOLS)
}

fn add(groups: &mut BTreeMap<Arc<str>, (Amount, Amounts)>, group: Arc<str>, function: Arc<str>, amount: Amount) {
    let (all, functions) = groups.entry(group).or_default();
    *all += amount;
    *functions.entry(function).or_default() += amount;
}

/// Returns amounts as a list, the largest first.
fn largest_first(amounts: Amounts) -> Vec<(Arc<str>, Amount)> {
    let mut list: Vec<(Arc<str>, Amount)> = amounts.into_iter().collect();
    list.sort_by_key(|(_, amount)| Reverse(*amount));
    list
}

fn groups(groups: BTreeMap<Arc<str>, (Amount, Amounts)>) -> Vec<Group> {
    let group = |(name, (amount, functions))| Group { name, amount, functions: largest_first(functions) };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| Reverse(group.amount));
    groups
}

/// Returns the reasons with their counts, and the calls of the traced run that took no sample.
fn origins(sampled: BTreeMap<Origin, (Amount, Amounts)>, counts: Option<&Counts>) -> Vec<OriginShare> {
    let mut left = counts.cloned().unwrap_or_default().0;
    let mut shares: Vec<OriginShare> = Vec::new();
    for (origin, (amount, work)) in sampled {
        let mut count = None;
        if let Origin::Syscall { abi, names } = &origin {
            // The calls of several syscalls that share a function are in rows of theirs.
            count = match &names[..] {
                [name] => left.remove(&(*abi, name.clone())),
                _ => None,
            };
        }
        shares.push(OriginShare { entry: entry(&origin), origin, amount, count, work: largest_first(work) });
    }
    shares.extend(left.into_iter().map(|((abi, name), count)| {
        let origin = Origin::Syscall { abi, names: vec![name] };
        OriginShare { entry: entry(&origin), origin, amount: Amount::default(), count: Some(count), work: Vec::new() }
    }));
    shares.sort_by_key(|share| Reverse((share.amount, share.count.map(|count| count.calls))));
    shares
}

/// Returns the subsystem of a syscall's entry point.
fn entry(origin: &Origin) -> Option<&'static str> {
    let Origin::Syscall { abi, names } = origin else { return None };
    let of = |abi: Abi, name: &str| Some(entry_points::subsystem(Syscall::from_name(abi, name)?).slug());
    names.first().and_then(|name| of(*abi, name))
}

#[cfg(test)]
mod tests;
