//! Reads the mode of the fd that a call acts on: proc_pid_fdinfo(5). Main function:
//! [`is_nonblocking`].

use super::status::field;
use super::{memory, sys};
use crate::model::attribution::{Question, answers};
use crate::model::kernel::call::{Call, Tid};

/// Returns whether the fd of a call that a task is entering is in non-blocking mode (O_NONBLOCK).
/// `None` if the call has no fd, or its mode cannot be read.
pub fn is_nonblocking(task: Tid, call: &Call) -> Option<bool> {
    let Some(Question::Fd(fd)) = answers::object(call, &memory::of_call(task, call)) else { return None };
    let information = sys::read_proc(&format!("/proc/{task}/fdinfo/{fd}"));
    let flags = flags(&String::from_utf8_lossy(&information))?;
    Some(flags & libc::O_NONBLOCK as u32 != 0)
}

/// Returns the flags in the information about an fd.
fn flags(information: &str) -> Option<u32> {
    u32::from_str_radix(field(information, "flags:")?, 8).ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use nix::fcntl::{FcntlArg, OFlag, fcntl};

    use super::*;
    use crate::model::kernel::syscall::Syscall;
    use crate::settings;

    #[test]
    fn flags_are_octal() {
        for (information, expected) in
            [("pos:\t0\nflags:\t0104002\nmnt_id:\t15\n", Some(0o104_002)), ("flags:\t9\n", None), ("", None)]
        {
            assert_eq!(flags(information), expected, "{information:?}");
        }
    }

    #[test]
    fn mode_of_own_fd_is_read() {
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let abi = settings::platform().abi().expect("the ABI of this machine");
        let call = |name: &str, fd: i32| {
            let syscall = Syscall::from_name(abi, name).expect(name);
            is_nonblocking(sys::gettid(), &Call { syscall, args: [fd as u64, 0, 0, 0, 0, 0], instruction_pointer: 0 })
        };
        assert_eq!(call("read", reader.as_raw_fd()), Some(false));
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a new mode");
        assert_eq!(call("read", reader.as_raw_fd()), Some(true));
        assert_eq!(call("read", -1), None);
        assert_eq!(call("getpid", reader.as_raw_fd()), None);
    }
}
