//! Who asks: the right question at the right stop, and the answers into the event. Main type:
//! [`Witness`].
//!
//! What must be asked is told by `model::attribution`; how to ask is [`objects`](super::objects)'.
//! Nothing here can fail: a refused question is an answer, too.

use std::collections::{BTreeMap, HashSet};

use super::files::Files;
use super::groups::is_own_thread;
use super::loader::Loaders;
use super::memory;
use super::objects::Objects;
use crate::model::attribution::files::{Effect, effect, moves_root, shares_files};
use crate::model::attribution::{Answer, Answers, Failure, Inquiry, Memory, Object, Place, Question, answers, made};
use crate::model::guard;
use crate::model::kernel::call::{Call, CallOutcome, Tid};
use crate::model::trace::event::Event;
use crate::model::trace::tracee::{Step, Stop};

/// What is known of every task beyond its registers.
#[derive(Debug, Default)]
pub(super) struct Witness {
    files: Files,
    objects: Objects,
    /// Nobody's are looked for where it does not matter.
    loaders: Option<Loaders>,
    /// The last call of each task. Few tasks at a time: a search is quicker than a hash, and a
    /// place that stays quicker than a new one.
    asked: BTreeMap<Tid, Asked>,
    /// Who was last heard of closing something, in a call whose end nobody tells.
    closing: HashSet<Tid>,
}

/// What there is before a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Object(Object),
    /// No file of that name.
    Nothing,
    /// Nobody can say.
    Unknown,
}

/// A call and what was asked at its beginning.
#[derive(Debug)]
struct Asked {
    under_way: bool,
    call: Call,
    question: Option<Question>,
    effect: Option<Effect>,
    answers: Answers,
}

impl Witness {
    /// For a tree that begins with this task.
    pub(super) fn new(root: Tid) -> Self {
        let mut files = Files::default();
        files.own(root);
        Self { files, loaders: Some(Loaders::default()), ..Self::default() }
    }

    /// For a tree that runs unwatched in part: what is closed there nobody tells, so that no fd is
    /// remembered, nor which calls are the loader's.
    pub(super) fn of_some() -> Self {
        let mut files = Files::default();
        files.hide();
        Self { files, ..Self::default() }
    }

    /// What an fd stands for that a task has just got, whatever was known of its number.
    pub(super) fn fd(&mut self, task: Tid, fd: i32) -> Option<Object> {
        let object = self.objects.of_fd(task, fd).object()?;
        self.files.keep(task, fd, &object);
        Some(object)
    }

    /// What a call that is about to be made acts on.
    pub(super) fn look(&mut self, task: Tid, question: &Question) -> Sight {
        match question {
            Question::Fd(fd) => self.of_fd(task, *fd).object().map_or(Sight::Unknown, Sight::Object),
            Question::PathBefore(place) | Question::PathAfter(place) => self.look_at(task, place),
            Question::Returned | Question::Program => Sight::Unknown,
        }
    }

    /// What a path stands for.
    pub(super) fn look_at(&mut self, task: Tid, place: &Place) -> Sight {
        match self.look_at_path(task, place) {
            Ok(Answer::Object(object)) => Sight::Object(object),
            Err(Failure::Absent) => Sight::Nothing,
            Ok(Answer::None | Answer::Unanswerable) | Err(_) => Sight::Unknown,
        }
    }

    /// Takes a stop in, and answers in its events what can be answered. The task must not run on
    /// before.
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
                self.leave_closing(task);
                self.files.leave(task);
                self.asked.remove(&task);
                self.loaders.iter_mut().for_each(|loaders| loaders.leave(task));
            }
            _ => {}
        }
    }

    /// A call is about to be made whose end nobody tells; nothing if it is one whose end somebody
    /// does.
    pub(super) fn notified(&mut self, task: Tid, call: &Call) -> Option<Answers> {
        if self.under_way(task).is_some() {
            return None;
        }
        let Asked { effect, answers, .. } = self.before(task, *call);
        if let Some(Effect::Closes(..)) = effect {
            self.closing.insert(task);
        }
        Some(answers)
    }

    /// Who does something else has closed what it was heard of closing.
    fn leave_closing(&mut self, task: Tid) {
        if !self.closing.is_empty() && self.closing.remove(&task) {
            self.files.end_closing(task);
        }
    }

    /// A call begins: what it may destroy is asked about now.
    fn entered(&mut self, task: Tid, call: Call) {
        let asked = self.before(task, call);
        match self.asked.get_mut(&task) {
            Some(place) => *place = asked,
            None => drop(self.asked.insert(task, asked)),
        }
    }

    fn under_way(&self, task: Tid) -> Option<&Asked> {
        self.asked.get(&task).filter(|asked| asked.under_way)
    }

    fn before(&mut self, task: Tid, call: Call) -> Asked {
        self.leave_closing(task);
        let memory = memory::of_call(task, &call);
        let question = answers::object(&call, &memory);
        let object = match question {
            Some(Question::Fd(fd)) => self.of_fd(task, fd),
            Some(Question::PathBefore(place)) => self.of_path(task, &place),
            _ => Answer::None,
        };
        let effect = effect(&call, &memory);
        match effect {
            Some(Effect::Closes(first, last)) => self.files.begin_closing(task, first, last),
            Some(Effect::Hidden) => self.files.hide(),
            Some(Effect::Unshares | Effect::Mounts) | None => {}
        }
        if moves_root(&call, &memory) {
            self.objects.move_roots();
        }
        let answers = Answers {
            object,
            memory,
            by_loader: self.loaders.as_mut().is_some_and(|loaders| loaders.make(task, &call)),
            to_own_thread: answers::receiver(&call).is_some_and(|receiver| is_own_thread(task, receiver)),
        };
        Asked { under_way: true, call, question, effect, answers }
    }

    /// A call is over: what it made is asked about now.
    fn returned(&mut self, task: Tid, call: &Call, outcome: CallOutcome) -> Answers {
        let asked = self.asked.get_mut(&task).filter(|asked| asked.under_way && asked.call == *call);
        let Some(asked) = asked else { return Answers::default() };
        asked.under_way = false;
        let (question, effect, mut answers) = (asked.question, asked.effect, std::mem::take(&mut asked.answers));
        if let Some(Effect::Closes(..)) = effect {
            self.files.end_closing(task);
        }
        let CallOutcome::Returned(value) = outcome else { return answers };
        if let Some(Effect::Unshares) = effect {
            self.files.own(task);
        }
        if answers::memory(call).is_some() && answers.memory.is_empty() {
            // The kernel has read what we could not: memory of memfd_secret(2), or a mapping that
            // came between.
            answers.memory = Memory::refused();
        }
        answers.object = match question {
            Some(Question::Returned) => self.of_returned(task, i32::try_from(value).unwrap_or(-1)),
            Some(Question::PathAfter(place)) => self.of_path(task, &place),
            Some(Question::Program) => self.objects.program(task),
            // Another thread opened the fd after the entry.
            Some(Question::Fd(fd)) if answers.object == Answer::None && effect.is_none() => self.of_fd(task, fd),
            Some(Question::Fd(_) | Question::PathBefore(_)) | None => answers.object,
        };
        if let (Ok(fd), None | Some(Question::Fd(_))) = (i32::try_from(value), question) {
            self.keep_made(task, call, fd, &answers);
        }
        if let Some(Effect::Mounts) = effect {
            self.objects.forget_mounts();
        }
        answers
    }

    fn of_fd(&mut self, task: Tid, fd: i32) -> Answer {
        if let Some(object) = self.files.known(task, fd) {
            return Answer::Object(object);
        }
        let answer = self.objects.of_fd(task, fd);
        if let Answer::Object(object) = &answer {
            self.files.keep(task, fd, object);
        }
        answer
    }

    /// Asked anew, whatever was known.
    fn of_returned(&mut self, task: Tid, fd: i32) -> Answer {
        let answer = self.objects.of_fd(task, fd);
        if let Answer::Object(object) = &answer {
            self.files.keep_returned(task, fd, object);
        }
        answer
    }

    /// What a new fd stands for, which the call that made or copied it tells where the kernel
    /// refuses to.
    fn keep_made(&mut self, task: Tid, call: &Call, fd: i32, answers: &Answers) {
        let opens = guard::effect(call, &answers.memory) == guard::Effect::Opens;
        if opens && self.files.remembers() && self.of_returned(task, fd) == Answer::Unanswerable {
            let object = made(call).or_else(|| answers.object.clone().object());
            object.iter().for_each(|object| self.files.keep_returned(task, fd, object));
        }
    }

    /// What failed here as it does in the call is of no use unless the call succeeds:
    /// `unanswerable` asks for that.
    fn of_path(&mut self, task: Tid, place: &Place) -> Answer {
        match self.look_at_path(task, place) {
            Ok(answer) => answer,
            Err(Failure::Absent) => Answer::None,
            Err(Failure::Alike | Failure::Refused) => Answer::Unanswerable,
        }
    }

    fn look_at_path(&mut self, task: Tid, place: &Place) -> Result<Answer, Failure> {
        // No path at all means the fd itself: do_utimes(), fs/utimes.c, for futimens(3).
        if place.address == 0 {
            return Ok(place.directory.map_or(Answer::None, |fd| self.of_fd(task, fd)));
        }
        let mut text = [0; LONGEST];
        let text = read_path(task, place.address, &mut text)?;
        let found = match (text, place.directory) {
            // AT_EMPTY_PATH: "operate on the file referred to by dirfd". Without it the call fails.
            (b"", Some(fd)) => return Ok(self.of_fd(task, fd)),
            (b"", None) => self.objects.of_path(task, place, b"."),
            _ => self.objects.of_path(task, place, text),
        };
        found.map(Answer::from).map_err(|error| memory::failure(Inquiry::Path, &error))
    }

    /// The parent is still in the call that made the child.
    fn spawned(&mut self, parent: Tid, child: Tid) {
        match self.under_way(parent) {
            Some(asked) if shares_files(&asked.call, &asked.answers.memory) => self.files.share(child, parent),
            Some(_) => self.files.own(child),
            None => self.files.leave(child),
        }
    }

    /// execve gives its caller a table of its own and closes what is marked for that, and all other
    /// threads are gone.
    fn executed(&mut self, task: Tid, former: Tid) {
        if let Some(asked) = self.asked.remove(&former) {
            self.asked.insert(task, asked);
        }
        self.leave_closing(former);
        self.files.leave(former);
        self.files.own(task);
        self.loaders.iter_mut().for_each(|loaders| loaders.executed(task, former));
    }
}

/// `PATH_MAX`, include/uapi/linux/limits.h
const LONGEST: usize = 4096;

/// The path at this address, if it ends. Most are short, and each page that is read must be found
/// and held.
fn read_path(task: Tid, address: u64, text: &mut [u8; LONGEST]) -> Result<&[u8], Failure> {
    const SHORT: usize = 256;
    for (begin, end) in [(0, SHORT), (SHORT, LONGEST)] {
        let length = memory::read(task, address.wrapping_add(begin as u64), &mut text[begin..end])?;
        if let Some(at) = text[begin..begin + length].iter().position(|byte| *byte == 0) {
            return Ok(&text[..begin + at]);
        }
        if begin + length < end {
            break;
        }
    }
    // The kernel fails with EFAULT or ENAMETOOLONG.
    Err(Failure::Alike)
}

#[cfg(test)]
mod tests {
    use super::super::sys;
    use super::*;

    #[test]
    fn a_path_of_any_length_is_read_to_its_end() {
        for length in [0, 1, 255, 256, 257, 4000, 4095] {
            let path = [vec![b'x'; length], vec![0]].concat();
            let mut text = [0; LONGEST];
            assert_eq!(read_path(sys::gettid(), path.as_ptr() as u64, &mut text), Ok(&path[..length]));
        }
        let endless = vec![b'x'; LONGEST];
        for address in [endless.as_ptr() as u64, 8, u64::MAX] {
            assert_eq!(read_path(sys::gettid(), address, &mut [0; LONGEST]), Err(Failure::Alike));
        }
    }
}
