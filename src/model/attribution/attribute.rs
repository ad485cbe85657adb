//! [`attribute`]: one call → one [`Use`].

use std::borrow::Cow;

use super::{Subsystem, ambient, entry_points};
use crate::model::event::Call;
use crate::model::syscall::Syscall;

/// One way in which a syscall was used. Its order is that of reports: subsystem, syscall, argument, object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// The subsystem that the call reached.
    pub subsystem: Subsystem,
    /// The call.
    pub syscall: Syscall,
    /// The symbolic value of a multiplexing call (`AF_INET`, `TIOCGWINSZ`).
    pub argument: Option<Cow<'static, str>>,
    /// The kind of thing an fd or path stands for (`file:ext4`, `socket:AF_INET:SOCK_STREAM`).
    pub object: Option<Cow<'static, str>>,
    /// Decided by scheduler, allocator, loader or vDSO rather than by the program: see [`ambient`].
    pub ambient: bool,
}

/// What this call used.
pub fn attribute(call: &Call) -> Use {
    Use {
        subsystem: entry_points::subsystem(call.syscall),
        syscall: call.syscall,
        argument: None,
        object: None,
        ambient: ambient::is_ambient(call),
    }
}
