//! The parts of a finding's line of text, and lines broken at blanks. Main function: [`columns`].

use crate::model::facts::finding::Finding;
use crate::model::judge::weight::{Weight, privilege};
use crate::report::words::{calls, escaped};

/// The number of arguments and objects that are shown of a new system call.
const DETAILS: usize = 4;

/// Breaks a line at blanks. Further lines are indented.
pub(super) fn wrapped(line: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().map(|last| (last.chars().count(), last));
        match last {
            Some((0, last)) => last.push_str(word),
            Some((columns, last)) if columns + 1 + word.chars().count() <= most => last.extend([" ", word]),
            _ => lines.push(format!("  {word}")),
        }
    }
    lines
}

/// Returns whether the remark of a finding holds a reason, not only arguments and objects.
pub(super) fn has_reason(finding: &Finding) -> bool {
    let is_privileged = || Weight::of(finding) == Weight::Privileged && privilege(&finding.fact).is_some();
    finding.forbidden.is_some() || finding.cause.is_some() || is_privileged()
}

/// Returns kind, fact, calls and remark of a finding.
pub(super) fn columns(finding: &Finding) -> [String; 4] {
    // A blind spot has no calls.
    let calls = if finding.calls == 0 { String::new() } else { calls(finding.calls).to_string() };
    let (shown, cut) = finding.details.split_at(finding.details.len().min(DETAILS));
    let reason = privilege(&finding.fact).filter(|_| Weight::of(finding) == Weight::Privileged);
    let details = shown.iter().map(|detail| detail.value().into_owned());
    let mut remark: Vec<String> = finding.forbidden.iter().cloned().chain(details).collect();
    if !cut.is_empty() {
        remark.push(format!("and {} more", cut.len()));
    }
    remark.extend(reason.map(|reason| format!("({reason})")));
    remark.extend(finding.cause.as_ref().map(|cause| format!("({cause})")));
    [finding.rule().to_owned(), escaped(&finding.fact.to_string()), calls, escaped(&remark.join(" "))]
}
