//! Scalars of `tolerate:` and `forbid:` rules. A misspelled name would silently match nothing, so
//! each is checked. Main function: [`check_rule`].

use glob::Pattern;

use super::invalid::InvalidScalar;
use super::keys::UnknownName;
use super::words::{ParseScalar, Signal, SyscallName, only};
use crate::model::attribution::{ADDRESS_CLASSES, is_address_class};
use crate::model::conditions::{Network, PathGlob};
use crate::model::expectation::terms::Rule;
use crate::model::kernel::call::Errno;
use crate::model::kernel::syscall::{Abi, Syscall, table};

/// The syscall of a rule: a name that some ABI has, or the name of an unknown number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RuleSyscall(pub(super) String);

impl ParseScalar for RuleSyscall {
    const EXPECTED: &'static str = SyscallName::EXPECTED;

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let number = text.strip_prefix("syscall_").map(|number| number.strip_prefix("0x").unwrap_or(number));
        let is_number = number.is_some_and(|number| i64::from_str_radix(number, 16).is_ok());
        if is_number || Abi::ALL.into_iter().any(|abi| Syscall::from_name(abi, text).is_some()) {
            return Ok(Self(text.to_owned()));
        }
        SyscallName::read(text)?;
        let known = Abi::ALL.into_iter().flat_map(table::rows).map(|row| row.name);
        Err(UnknownName::new("syscall", text, known).into())
    }
}

/// A glob for the name of a program.
pub(super) struct ProgramGlob(pub(super) String);

impl ParseScalar for ProgramGlob {
    const EXPECTED: &'static str = "the name of a program, such as `curl`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        if text.contains('/') {
            return Err(InvalidScalar::ProgramPath(text.to_owned()));
        }
        glob(text).map(Self)
    }
}

/// Returns the text of a glob that is not empty.
fn glob(text: &str) -> Result<String, InvalidScalar> {
    let text = String::read(text)?;
    match Pattern::new(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(InvalidScalar::Glob { text, reason: error.msg }),
    }
}

/// The class of an address, or a range of addresses.
pub(super) struct RuleAddress(pub(super) String);

impl ParseScalar for RuleAddress {
    const EXPECTED: &'static str = "a class of addresses or a range, such as `global` or `10.0.0.0/8`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        if is_address_class(text) {
            return Ok(Self(text.to_owned()));
        }
        if text.bytes().any(|byte| b".:/[".contains(&byte)) {
            return match text.parse::<Network>() {
                Ok(_) => Ok(Self(text.to_owned())),
                Err(reason) => Err(InvalidScalar::Address { text: text.to_owned(), reason }),
            };
        }
        let known = ADDRESS_CLASSES.into_iter().map(|(class, _)| class);
        Err(UnknownName::new("class of addresses", text, known).into())
    }
}

/// A glob for a path.
pub(super) struct RulePath(pub(super) String);

impl ParseScalar for RulePath {
    const EXPECTED: &'static str = "a glob for a path, such as `/etc/**`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        let text = String::read(text)?;
        match text.parse::<PathGlob>() {
            Ok(_) => Ok(Self(text)),
            Err(reason) => Err(InvalidScalar::Path { text, reason }),
        }
    }
}

/// `writes: true`
pub(super) struct Writes;

impl ParseScalar for Writes {
    const EXPECTED: &'static str = "`true`";

    fn read(text: &str) -> Result<Self, InvalidScalar> {
        only("true", text).map(|()| Self)
    }
}

/// Refuses unknown names and bad globs in a rule. Arguments, objects and phases may have any name.
pub(super) fn check_rule(rule: &Rule) -> Result<(), InvalidScalar> {
    rule.syscall.as_deref().map(RuleSyscall::read).transpose()?;
    rule.error.as_deref().map(Errno::read).transpose()?;
    rule.signal.as_deref().map(Signal::read).transpose()?;
    if rule.signal.is_some() && rule.parts().count() > 1 {
        return Err(InvalidScalar::SignalOfCalls);
    }
    rule.program.as_deref().map(ProgramGlob::read).transpose()?;
    rule.address.as_deref().map(RuleAddress::read).transpose()?;
    rule.path.as_deref().map(RulePath::read).transpose()?;
    Ok(())
}
