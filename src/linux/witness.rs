//! Asks the kernel what attribution needs beyond registers, at the stop where the answer is valid,
//! and stores the answers in the event. Main type: [`Witness`].
//!
//! `model::attribution` decides what to ask; [`objects`](super::objects) asks it. Nothing here can
//! fail: a refused question is also an answer.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::files::FdCache;
use super::groups::is_own_thread;
use super::loader::Loaders;
use super::memory;
use super::named_paths;
use super::objects::Objects;
use super::programs::Programs;
use crate::model::attribution::files::{CacheEffect, cache_effect, moves_root, shares_files};
use crate::model::attribution::{
    Answer, Answers, ArgumentAnswer, ArgumentQuestion, Failure, Memory, Met, Object, PathArgument, Query, Question,
    Undecided, answers, argument_question, made,
};
use crate::model::conditions::{Conditions, Named};
use crate::model::guard;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Step, Stop};

/// Knowledge about every task beyond its registers.
#[derive(Debug, Default)]
pub(super) struct Witness {
    fd_cache: FdCache,
    objects: Objects,
    programs: Programs,
    conditions: Conditions,
    /// `None` where loader calls need not be recognized.
    loaders: Option<Loaders>,
    /// The last call of each task. With few tasks at a time, a search is faster than a hash, and a
    /// reused slot is faster than a new one.
    calls: BTreeMap<Tid, PendingCall>,
    /// Tasks with a notified closing call as their last one; the end of such a call is not
    /// reported.
    closing: HashSet<Tid>,
}

/// What a call is about to act on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Object(Object),
    /// No file of that name.
    Absent,
    /// The kernel does not say.
    Unknown,
}

/// A call and what was asked at its entry.
#[derive(Debug)]
struct PendingCall {
    is_under_way: bool,
    call: Call,
    question: Option<Question>,
    effect: Option<CacheEffect>,
    answers: Answers,
    /// The address of an argument that could not be read.
    unread: Option<u64>,
    /// What it names, if rules are about paths.
    named: Named,
}

/// An argument in memory, with what rules require of it.
struct Argument {
    answer: ArgumentAnswer,
    /// The address that could not be read.
    unread: Option<u64>,
    met: Met,
    undecided: Undecided,
    named: Named,
}

impl Witness {
    /// Returns the witness of a tree that is seen as a whole.
    pub(super) fn new() -> Self {
        Self { loaders: Some(Loaders::default()), ..Self::default() }
    }

    /// Sets the directory below which programs are temporary.
    pub(super) fn set_scratch(&mut self, directory: &Path) {
        self.programs = Programs::with_scratch(directory);
    }

    /// Sets the conditions that each call is compared with.
    pub(super) fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Starts with the first task of the tree.
    pub(super) fn begin(&mut self, root: Tid) {
        self.fd_cache.own(root);
    }

    /// Returns the witness of a tree that runs natively in part. Its tasks may close fds unseen, so
    /// that no fd is cached, and loader calls are not recognized.
    pub(super) fn for_guarded_run() -> Self {
        let mut fd_cache = FdCache::default();
        fd_cache.disable();
        Self { fd_cache, ..Self::default() }
    }

    /// Returns the object of an fd that a task has just got, ignoring the cache.
    pub(super) fn fd(&mut self, task: Tid, fd: i32) -> Option<Object> {
        let object = self.objects.of_fd(task, fd).object()?;
        self.fd_cache.keep(task, fd, &object);
        Some(object)
    }

    /// Returns what a call that is about to be made acts on.
    pub(super) fn target(&mut self, task: Tid, question: &Question) -> Target {
        match question {
            Question::Fd(fd) => self.of_fd(task, *fd).object().map_or(Target::Unknown, Target::Object),
            Question::PathBefore(place) | Question::PathAfter(place) => self.target_of_path(task, place),
            Question::Returned | Question::Program => Target::Unknown,
        }
    }

    /// Returns what a path leads to.
    pub(super) fn target_of_path(&mut self, task: Tid, place: &PathArgument) -> Target {
        match self.answer_for_path(task, place) {
            Ok(Answer::Object(object)) => Target::Object(object),
            Err(Failure::Absent) => Target::Absent,
            Ok(Answer::None | Answer::Unanswerable) | Err(_) => Target::Unknown,
        }
    }

    /// Processes a stop and adds the answers to its events. The task must not run before this
    /// returns.
    pub(super) fn observe(&mut self, task: Tid, stop: &Stop, step: &mut Step) {
        match *stop {
            Stop::Spawning { child, .. } => self.spawned(task, child),
            Stop::Exec { former, .. } => self.executed(task, former),
            _ => {}
        }
        for event in step.before.iter_mut().chain(&mut step.event) {
            if let Event::Called { task, call, outcome, answers } = event {
                *answers = self.returned(*task, call, *outcome);
            }
        }
        match *stop {
            Stop::Entry(call) => self.entered(task, call),
            Stop::Ended(_) => {
                self.finish_closing(task);
                self.fd_cache.forget(task);
                self.calls.remove(&task);
                self.loaders.iter_mut().for_each(|loaders| loaders.leave(task));
            }
            _ => {}
        }
    }

    /// Returns the answers for a notified call before it is made, since its end is not reported.
    /// Returns `None` for a call with a reported end.
    pub(super) fn notified(&mut self, task: Tid, call: &Call) -> Option<Answers> {
        if self.under_way(task).is_some() {
            return None;
        }
        let PendingCall { effect, mut answers, unread, .. } = self.ask_before(task, *call);
        if unread.is_some_and(|address| !memory::is_mapped(task, address)) {
            // The call fails with EFAULT, and so has no argument.
            answers.argument = ArgumentAnswer::None;
            answers.undecided = Undecided::No;
        }
        if let Some(CacheEffect::Closes(..)) = effect {
            self.closing.insert(task);
        }
        Some(answers)
    }

    /// Ends a notified close: a task that makes another call has finished it.
    fn finish_closing(&mut self, task: Tid) {
        if !self.closing.is_empty() && self.closing.remove(&task) {
            self.fd_cache.end_closing(task);
        }
    }

    /// Handles a call's entry: asks now about what the call may destroy.
    fn entered(&mut self, task: Tid, call: Call) {
        let pending = self.ask_before(task, call);
        match self.calls.get_mut(&task) {
            Some(place) => *place = pending,
            None => drop(self.calls.insert(task, pending)),
        }
    }

    fn under_way(&self, task: Tid) -> Option<&PendingCall> {
        self.calls.get(&task).filter(|pending| pending.is_under_way)
    }

    /// Returns the argument that was read from memory at the entry of a task's call, if any.
    pub(super) fn argument_of(&self, task: Tid) -> Option<&str> {
        match &self.under_way(task)?.answers.argument {
            ArgumentAnswer::Text(text) => Some(text),
            ArgumentAnswer::None | ArgumentAnswer::Unanswerable => None,
        }
    }

    fn ask_before(&mut self, task: Tid, call: Call) -> PendingCall {
        self.finish_closing(task);
        let memory = memory::of_call(task, &call);
        let question = answers::object(&call, &memory);
        let object = match question {
            Some(Question::Fd(fd)) => self.of_fd(task, fd),
            Some(Question::PathBefore(place)) => self.of_path(task, &place),
            _ => Answer::None,
        };
        let effect = cache_effect(&call, &memory);
        match effect {
            Some(CacheEffect::Closes(first, last)) => self.fd_cache.begin_closing(task, first, last),
            Some(CacheEffect::Hidden) => self.fd_cache.disable(),
            Some(CacheEffect::Unshares | CacheEffect::Mounts) | None => {}
        }
        if moves_root(&call, &memory) {
            self.objects.move_roots();
        }
        let Argument { answer: argument, unread, met, undecided, named } = self.argument(task, &call, &memory, &object);
        let answers = Answers {
            object,
            memory,
            argument,
            met,
            undecided,
            by_loader: self.loaders.as_mut().is_some_and(|loaders| loaders.make(task, &call)),
            to_own_thread: answers::receiver(&call).is_some_and(|receiver| is_own_thread(task, receiver)),
        };
        PendingCall { is_under_way: true, call, question, effect, answers, unread, named }
    }

    /// Reads the argument of a call that is in memory, and compares what it names with the
    /// conditions of rules.
    fn argument(&mut self, task: Tid, call: &Call, memory: &Memory, object: &Answer) -> Argument {
        let mut named = Named::default();
        let answered = match argument_question(call, memory, object) {
            None => Ok(ArgumentAnswer::None),
            Some(ArgumentQuestion::Program(path)) => self.programs.name(task, &path),
            Some(ArgumentQuestion::Addresses(question)) => {
                let read = |at, buffer: &mut [u8]| memory::read(task, at, buffer) == Ok(buffer.len());
                let answered = question.addresses(object.as_object().map(|object| &object.kind), read);
                answered.map(|addresses| {
                    let argument = addresses.argument();
                    named.addresses = addresses.internet;
                    argument
                })
            }
        };
        named.is_unread = answered.is_err();
        if self.conditions.may_concern_paths(call.syscall) {
            named_paths::of_call(&mut self.objects, task, call, memory, &mut named);
        }
        let (met, undecided) = match self.conditions.is_empty() {
            true => Default::default(),
            false => self.conditions.judge(call.syscall, &named),
        };
        let (answer, unread) = answered.map_or_else(|at| (ArgumentAnswer::Unanswerable, Some(at)), |it| (it, None));
        Argument { answer, unread, met, undecided, named }
    }

    /// Handles a call's exit: asks now about what the call made.
    fn returned(&mut self, task: Tid, call: &Call, outcome: CallOutcome) -> Answers {
        let pending = self.calls.get_mut(&task).filter(|pending| pending.is_under_way && pending.call == *call);
        let Some(pending) = pending else { return Answers::default() };
        pending.is_under_way = false;
        let (question, effect, mut answers) = (pending.question, pending.effect, std::mem::take(&mut pending.answers));
        let mut named = std::mem::take(&mut pending.named);
        if let Some(CacheEffect::Closes(..)) = effect {
            self.fd_cache.end_closing(task);
        }
        let CallOutcome::Returned(value) = outcome else { return answers };
        if let Some(CacheEffect::Unshares) = effect {
            self.fd_cache.own(task);
        }
        if answers::memory(call).is_some() && answers.memory.is_empty() {
            // The kernel could read what we could not: memory of memfd_secret(2), or a mapping that
            // was added meanwhile.
            answers.memory = Memory::refused();
        }
        let had_no_object = answers.object == Answer::None && matches!(question, Some(Question::Fd(_)));
        answers.object = match question {
            Some(Question::Returned) => self.of_returned(task, i32::try_from(value).unwrap_or(-1)),
            Some(Question::PathAfter(place)) => self.of_path(task, &place),
            Some(Question::Program) => self.objects.program(task),
            // Another thread opened the fd after the entry.
            Some(Question::Fd(fd)) if answers.object == Answer::None && effect.is_none() => self.of_fd(task, fd),
            Some(Question::Fd(_) | Question::PathBefore(_)) | None => answers.object,
        };
        if question == Some(Question::Returned) && self.conditions.may_concern_paths(call.syscall) {
            named_paths::opened(task, i32::try_from(value).unwrap_or(-1), &mut named);
            (answers.met, answers.undecided) = self.conditions.judge(call.syscall, &named);
        }
        if had_no_object && answers.object != Answer::None {
            let argument = self.argument(task, call, &answers.memory, &answers.object);
            (answers.argument, answers.met, answers.undecided) = (argument.answer, argument.met, argument.undecided);
        }
        if let (Ok(fd), None | Some(Question::Fd(_))) = (i32::try_from(value), question) {
            self.keep_made(task, call, fd, &answers);
        }
        if let Some(CacheEffect::Mounts) = effect {
            self.objects.forget_mounts();
        }
        answers
    }

    fn of_fd(&mut self, task: Tid, fd: i32) -> Answer {
        if let Some(object) = self.fd_cache.object(task, fd) {
            return Answer::Object(object);
        }
        let answer = self.objects.of_fd(task, fd);
        if let Answer::Object(object) = &answer {
            self.fd_cache.keep(task, fd, object);
        }
        answer
    }

    /// Asks about a returned fd, ignoring the cache.
    fn of_returned(&mut self, task: Tid, fd: i32) -> Answer {
        let answer = self.objects.of_fd(task, fd);
        if let Answer::Object(object) = &answer {
            self.fd_cache.keep_returned(task, fd, object);
        }
        answer
    }

    /// Remembers the object of a new fd. Where the kernel does not name it, the call that made or
    /// copied the fd does.
    fn keep_made(&mut self, task: Tid, call: &Call, fd: i32, answers: &Answers) {
        let opens = guard::fd_effect(call, &answers.memory) == guard::FdEffect::Opens;
        if opens && self.fd_cache.is_enabled() && self.of_returned(task, fd) == Answer::Unanswerable {
            let object = made(call).or_else(|| answers.object.clone().object());
            object.iter().for_each(|object| self.fd_cache.keep_returned(task, fd, object));
        }
    }

    /// Answers a question about a path. A lookup that fails as the call itself does matters only if
    /// the call succeeds: [`Answer::Unanswerable`] then means a refusal.
    fn of_path(&mut self, task: Tid, place: &PathArgument) -> Answer {
        match self.answer_for_path(task, place) {
            Ok(answer) => answer,
            Err(Failure::Absent) => Answer::None,
            Err(Failure::Alike | Failure::Refused) => Answer::Unanswerable,
        }
    }

    fn answer_for_path(&mut self, task: Tid, place: &PathArgument) -> Result<Answer, Failure> {
        // A null path means the fd itself: do_utimes(), fs/utimes.c, for futimens(3).
        if place.address == 0 {
            return Ok(place.directory.map_or(Answer::None, |fd| self.of_fd(task, fd)));
        }
        let mut text = [0; memory::MAX_PATH];
        let text = memory::read_path(task, place.address, &mut text)?;
        let found = match (text, place.directory) {
            // AT_EMPTY_PATH: "operate on the file referred to by dirfd". Without it the call fails.
            (b"", Some(fd)) => return Ok(self.of_fd(task, fd)),
            (b"", None) => self.objects.of_path(task, place, b"."),
            _ => self.objects.of_path(task, place, text),
        };
        found.map(Answer::from).map_err(|error| memory::failure(Query::Path, &error))
    }

    /// Handles a new child. The parent is still in the call that made it.
    fn spawned(&mut self, parent: Tid, child: Tid) {
        match self.under_way(parent) {
            Some(pending) if shares_files(&pending.call, &pending.answers.memory) => self.fd_cache.share(child, parent),
            Some(_) => self.fd_cache.own(child),
            None => self.fd_cache.forget(child),
        }
    }

    /// Handles an execve: it gives its caller an fd table of its own, closes the fds marked
    /// close-on-exec, and ends all other threads.
    fn executed(&mut self, task: Tid, former: Tid) {
        if let Some(pending) = self.calls.remove(&former) {
            self.calls.insert(task, pending);
        }
        self.finish_closing(former);
        self.fd_cache.forget(former);
        self.fd_cache.own(task);
        self.loaders.iter_mut().for_each(|loaders| loaders.executed(task, former));
    }
}
