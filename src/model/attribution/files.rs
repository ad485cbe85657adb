//! What a call does to the fd table of its caller and to mounts, for caches of what fds and paths
//! mean. Main type: [`CacheEffect`].
//!
//! It must not cache anything itself. Calls that open fds have no effect here: a cache that drops
//! every closed fd has no stale entry for a new one.

use super::answers;
use super::decode::decode;
use super::memory::Memory;
use crate::model::kernel::call::Call;
use crate::model::kernel::uapi::{
    CLONE_FILES, CLONE_NEWNS, CLONE_UNTRACED, CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE, IPPROTO_IPV6, IPV6_ADDRFORM,
    SECCOMP_IOCTL_NOTIF_ADDFD,
};

/// How a call changes the meaning of fds or paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheEffect {
    /// It closes the fds in this inclusive range, or replaces them.
    Closes(i32, i32),
    /// It gives the caller a table of its own if it succeeds.
    Unshares,
    /// From here on tables may change without a visible call, so nothing may be cached any more.
    Hidden,
    /// It changes mounts, so known mounts are stale. A task with another root or mount namespace
    /// sees other mounts, with other numbers.
    Mounts,
}

/// Returns the effect of a call, if it has one.
pub fn cache_effect(call: &Call, memory: &Memory) -> Option<CacheEffect> {
    let args = &call.args;
    match call.syscall.row()?.name {
        "close" => Some(CacheEffect::Closes(args[0] as i32, args[0] as i32)),
        "dup2" | "dup3" => Some(CacheEffect::Closes(args[1] as i32, args[1] as i32)),
        "close_range" if args[2] & CLOSE_RANGE_UNSHARE != 0 => Some(CacheEffect::Unshares),
        "close_range" if args[2] & CLOSE_RANGE_CLOEXEC != 0 => None,
        "close_range" => Some(CacheEffect::Closes(fd(args[0]), fd(args[1]))),
        "unshare" if args[0] & CLONE_FILES != 0 => Some(CacheEffect::Unshares),
        // The kernel opens and closes files for its rings without a call.
        "io_uring_setup" => Some(CacheEffect::Hidden),
        "ioctl" if u64::from(args[1] as u32) == SECCOMP_IOCTL_NOTIF_ADDFD => Some(CacheEffect::Hidden),
        "clone" | "clone3" if shares_files(call, memory) && is_untraced(call, memory) => Some(CacheEffect::Hidden),
        // With unread flags, it may share the table with a child that is not traced.
        "clone3" if has_unread_flags(call, memory) => Some(CacheEffect::Hidden),
        "mount" | "umount" | "umount2" | "move_mount" | "fsmount" => Some(CacheEffect::Mounts),
        _ => changes_family(call, memory).then_some(CacheEffect::Hidden),
    }
}

/// Returns whether this call changes the family of a socket: `IPV6_ADDRFORM` turns an AF_INET6
/// socket into an AF_INET one, in every table that has an fd of it.
pub(in crate::model) fn changes_family(call: &Call, memory: &Memory) -> bool {
    if !call.syscall.row().is_some_and(|row| matches!(row.name, "setsockopt" | "socketcall")) {
        return false;
    }
    decode(call, memory).is_some_and(|decoded| {
        let [level, option] = [decoded.args[1], decoded.args[2]].map(|arg| arg & 0xffff_ffff);
        decoded.name == "setsockopt" && (level, option) == (IPPROTO_IPV6, IPV6_ADDRFORM)
    })
}

/// Converts an unsigned argument, as in `close_range(3, ~0U, 0)`.
fn fd(argument: u64) -> i32 {
    i32::try_from(argument & 0xffff_ffff).unwrap_or(i32::MAX)
}

/// Returns whether the task that this call makes shares the fd table of its parent.
pub fn shares_files(call: &Call, memory: &Memory) -> bool {
    clone_flags(call, memory).is_some_and(|flags| flags & CLONE_FILES != 0)
}

/// Returns whether its caller or the new task may have another `/` afterwards, or a mount namespace
/// of its own.
pub fn moves_root(call: &Call, memory: &Memory) -> bool {
    let Some(row) = call.syscall.row() else { return true };
    match row.name {
        "chroot" | "pivot_root" | "setns" => true,
        "unshare" => call.args[0] & CLONE_NEWNS != 0,
        _ if has_unread_flags(call, memory) => true,
        _ => clone_flags(call, memory).is_some_and(|flags| flags & CLONE_NEWNS != 0),
    }
}

/// Returns whether this is a clone3 with flags that could not be read.
fn has_unread_flags(call: &Call, memory: &Memory) -> bool {
    answers::memory(call).is_some()
        && memory.long().is_none()
        && call.syscall.row().is_some_and(|row| row.name == "clone3")
}

/// Returns whether the task that this call makes is not traced.
pub fn is_untraced(call: &Call, memory: &Memory) -> bool {
    clone_flags(call, memory).is_some_and(|flags| flags & CLONE_UNTRACED != 0)
}

/// Returns the clone flags of a call that has some.
pub(in crate::model) fn clone_flags(call: &Call, memory: &Memory) -> Option<u64> {
    match decode(call, memory)?.name {
        "clone" => Some(call.args[0]),
        "clone3" => memory.long(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::syscall::{Abi, Syscall};

    fn of(name: &str, args: &[u64], memory: &[u8]) -> Option<CacheEffect> {
        let args = std::array::from_fn(|at| args.get(at).copied().unwrap_or(0));
        let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
        cache_effect(&Call { syscall, args, instruction_pointer: 0 }, &Memory::new(memory))
    }

    #[test]
    fn calls_that_may_change_the_root() {
        let call = |name, first| {
            let syscall = Syscall::from_name(Abi::X86_64, name).expect(name);
            Call { syscall, args: [first, 0, 0, 0, 0, 0], instruction_pointer: 0 }
        };
        for (name, first, expected) in [
            ("chroot", 0, true),
            ("unshare", 0x2_0000, true),
            ("unshare", 0x400, false),
            ("clone", 0x2_0011, true),
            ("clone", 0x11, false),
            ("openat", 0x2_0000, false),
        ] {
            assert_eq!(moves_root(&call(name, first), &Memory::default()), expected, "{name} {first:x}");
        }
        assert!(moves_root(&call("clone3", 8), &Memory::new(&0x2_0000_u64.to_le_bytes())));
        assert!(!moves_root(&call("clone3", 8), &Memory::new(&[0; 8])));
        assert!(moves_root(&call("clone3", 8), &Memory::refused()));
        let unknown = Call { syscall: Syscall { abi: Abi::X86_64, number: 0x3e7 }, ..call("chroot", 0) };
        assert!(moves_root(&unknown, &Memory::default()));
    }

    #[test]
    fn effects_of_calls_on_fds_and_mounts() {
        for (name, args, expected) in [
            ("close", &[5][..], Some(CacheEffect::Closes(5, 5))),
            ("dup2", &[5, 6], Some(CacheEffect::Closes(6, 6))),
            ("dup3", &[5, 6, 0x80000], Some(CacheEffect::Closes(6, 6))),
            ("dup", &[5], None),
            ("close_range", &[3, 0xffff_ffff, 0], Some(CacheEffect::Closes(3, i32::MAX))),
            ("close_range", &[3, 9, 4], None),
            ("close_range", &[3, 9, 2], Some(CacheEffect::Unshares)),
            ("unshare", &[0x400], Some(CacheEffect::Unshares)),
            ("unshare", &[0x2_0000], None),
            ("io_uring_setup", &[8], Some(CacheEffect::Hidden)),
            ("ioctl", &[3, 0x4018_2103], Some(CacheEffect::Hidden)),
            ("ioctl", &[3, 0x5401], None),
            ("setsockopt", &[3, 41, 1], Some(CacheEffect::Hidden)),
            ("setsockopt", &[3, 41, 26], None),
            ("setsockopt", &[3, 6, 1], None),
            ("clone", &[0x80_0400], Some(CacheEffect::Hidden)),
            ("clone", &[0x80_0000], None),
            ("clone", &[0x400], None),
            ("clone3", &[0x1000, 88], Some(CacheEffect::Hidden)),
            ("clone3", &[0, 0], None),
            ("openat", &[], None),
            ("umount2", &[], Some(CacheEffect::Mounts)),
        ] {
            assert_eq!(of(name, args, &[]), expected, "{name} {args:x?}");
        }
        assert_eq!(of("clone3", &[0x1000], &0x80_0400_u64.to_le_bytes()), Some(CacheEffect::Hidden));
    }
}
