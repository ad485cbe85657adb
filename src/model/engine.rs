//! The engines by name: how the events of a run are obtained. Main types: [`Engine`] and
//! [`UsedEngine`].
//!
//! Plain data: `linux::engine` holds what an engine does.

/// How events are obtained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// Two ptrace stops per call: exact, with results.
    #[default]
    Ptrace,
    /// Expected calls run natively, by a seccomp filter; all others stop. Counts, errors and
    /// removals of expected calls are unknown.
    Guard,
    /// One notification per call, before it is made. A call stops as under ptrace if only its
    /// result shows what it used; the errors of the other calls are unknown.
    Notify,
}

impl Engine {
    /// Returns the engine of this name, if it can record a baseline.
    #[doc(hidden)]
    pub fn to_record(word: &str) -> Result<Self, NotAnEngine> {
        Self::named(word, [Self::Notify, Self::Ptrace])
    }

    /// Returns the engine of this name, if it can test a workload against its baseline.
    #[doc(hidden)]
    pub fn to_judge(word: &str) -> Result<Self, NotAnEngine> {
        Self::named(word, [Self::Guard, Self::Ptrace])
    }

    fn named(word: &str, among: [Self; 2]) -> Result<Self, NotAnEngine> {
        among
            .into_iter()
            .find(|engine| engine.name() == word)
            .ok_or_else(|| NotAnEngine { word: word.to_owned(), among })
    }

    /// Returns the name used on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ptrace => "ptrace",
            Self::Guard => "guard",
            Self::Notify => "notify",
        }
    }

    /// Returns what the engine cannot see of the calls that it reports.
    #[doc(hidden)]
    pub fn unknown(self) -> Option<&'static str> {
        (self == Self::Notify).then_some("errors of calls whose result does not say what they used")
    }
}

/// The engine that ran a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsedEngine {
    /// The engine, which limits what a comparison can hold.
    pub engine: Engine,
    /// Why the requested engine could not run this workload, if ptrace replaced it.
    pub fallback: Option<String>,
}

impl UsedEngine {
    /// Returns the ptrace engine in place of one that could not run the workload for this reason.
    pub fn instead(reason: String) -> Self {
        Self { engine: Engine::Ptrace, fallback: Some(reason) }
    }
}

impl From<Engine> for UsedEngine {
    fn from(engine: Engine) -> Self {
        Self { engine, fallback: None }
    }
}

/// A name that is not one of the engines that can be chosen here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine `{word}`: use one of {}", .among.map(Engine::name).join(", "))]
pub struct NotAnEngine {
    word: String,
    among: [Engine; 2],
}
