//! Error numbers and their names, as on x86, ARM and RISC-V: include/uapi/asm-generic/errno-base.h
//! and errno.h.
//!
//! This module does not know what an error means for a verdict. Main type: [`Errno`].

use std::borrow::Cow;

use crate::model::kernel::call::Errno;

/// The names of 1 to 133; empty where Linux has none.
#[rustfmt::skip]
const NAMES: [&str; 133] = [
    "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN",
    "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR",
    "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE",
    "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP", "", "ENOMSG",
    "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST", "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE",
    "EBADR", "EXFULL", "ENOANO", "EBADRQC", "EBADSLT", "", "EBFONT", "ENOSTR", "ENODATA", "ETIME", "ENOSR",
    "ENONET", "ENOPKG", "EREMOTE", "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO", "EMULTIHOP", "EDOTDOT",
    "EBADMSG", "EOVERFLOW", "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD", "ELIBSCN", "ELIBMAX",
    "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
    "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT",
    "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED",
    "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED",
    "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM",
    "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED",
    "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
];

/// Second names of some numbers (errno(3)); reports use the first.
const ALIASES: [(&str, &str); 3] = [("EDEADLOCK", "EDEADLK"), ("ENOTSUP", "EOPNOTSUPP"), ("EWOULDBLOCK", "EAGAIN")];

impl Errno {
    /// Returns the name, or `errno_134` if Linux has none.
    pub fn name(self) -> Cow<'static, str> {
        let index = usize::try_from(self.0).ok().and_then(|number| number.checked_sub(1));
        match index.and_then(|index| NAMES.get(index)) {
            Some(&name) if !name.is_empty() => Cow::Borrowed(name),
            _ => Cow::Owned(format!("errno_{}", self.0)),
        }
    }

    /// Returns the error of this name. `errno_134` and aliases (`ENOTSUP`) work too.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |&(_, name)| name);
        if let Some(number) = name.strip_prefix("errno_") {
            return number.parse().ok().map(Self).filter(|errno| errno.name() == name);
        }
        let index = NAMES.iter().position(|known| *known == name && !known.is_empty())?;
        i32::try_from(index + 1).ok().map(Self)
    }

    /// Returns every name of errno(3) without aliases, ordered by number.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        NAMES.into_iter().filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_linux() {
        for (number, name) in [
            (1, "EPERM"),
            (2, "ENOENT"),
            (11, "EAGAIN"),
            (34, "ERANGE"),
            (35, "EDEADLK"),
            (38, "ENOSYS"),
            (41, "errno_41"),
            (95, "EOPNOTSUPP"),
            (111, "ECONNREFUSED"),
            (133, "EHWPOISON"),
            (134, "errno_134"),
            (0, "errno_0"),
            (-1, "errno_-1"),
        ] {
            assert_eq!(Errno(number).name(), name);
            assert_eq!(Errno::from_name(name), Some(Errno(number)), "{name}");
        }
    }

    #[test]
    fn only_known_names_map_to_numbers() {
        for name in Errno::names() {
            assert_eq!(Errno::from_name(name).expect(name).name(), name);
        }
        assert_eq!(Errno::from_name("ENOTSUP"), Some(Errno(95)));
        assert_eq!(Errno::from_name("EWOULDBLOCK"), Some(Errno(11)));
        for unknown in ["", "E", "enoent", "errno_", "errno_x", "errno_2", "errno_+41"] {
            assert_eq!(Errno::from_name(unknown), None, "{unknown}");
        }
    }
}
