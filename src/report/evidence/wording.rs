//! The wording that Markdown and HTML share. Main type: [`Markup`].

use super::record::{BaselineRecord, ReasonRecord, SummaryRecord, UseRecord};

/// How one format writes foreign text and code.
pub(super) struct Markup {
    pub(super) text: fn(&str) -> String,
    pub(super) code: fn(&str) -> String,
}

impl Markup {
    /// Formats several values as code.
    pub(super) fn codes<'a>(&self, values: impl Iterator<Item = &'a str>) -> String {
        values.map(self.code).collect::<Vec<_>>().join(", ")
    }

    /// Returns the columns of a use: call, arguments, objects, reason and owner.
    pub(super) fn columns(&self, used: &UseRecord<'_>) -> [String; 5] {
        let Self { text, code } = self;
        let abis = used.abis.iter().map(|abi| format!(" ({})", text(abi))).collect::<String>();
        let errors = if used.errors.is_empty() {
            String::new()
        } else {
            format!(", fails with {}", self.codes(used.errors.iter().map(|errno| &**errno)))
        };
        let seen = if used.sometimes { ", not in every run" } else { "" };
        [
            format!("{}{abis}{seen}{errors}", code(used.name)),
            self.codes(used.arguments.iter().copied()),
            self.codes(used.objects.iter().copied()),
            self.reasons(used),
            text(used.owner.unwrap_or_default()),
        ]
    }

    /// Returns the reason of the entry, then those of its uses.
    fn reasons(&self, used: &UseRecord<'_>) -> String {
        let of_use = |ReasonRecord { argument, object, why }: &ReasonRecord<'_>| {
            let words: Vec<&str> = argument.iter().chain(object).copied().collect();
            format!("{}: {}", (self.code)(&words.join(" ")), (self.text)(why))
        };
        let whole = used.why.map(self.text);
        whole.into_iter().chain(used.reasons.iter().map(of_use)).collect::<Vec<_>>().join("; ")
    }

    /// Returns what follows a baseline's platform: where and how completely it was recorded.
    pub(super) fn recorded(&self, baseline: &BaselineRecord<'_>) -> String {
        let fingerprint: Vec<String> =
            baseline.fingerprint.iter().map(|(part, value)| format!("{part} {}", (self.text)(value))).collect();
        let around = if fingerprint.is_empty() { String::new() } else { format!(" ({})", fingerprint.join(", ")) };
        let quiet = if baseline.quiet {
            "recorded until no run showed anything new"
        } else {
            "recorded, but still growing: later runs may show more"
        };
        format!("{around}, {quiet}")
    }
}

/// Returns the number of workloads, and of those without a baseline.
pub(super) fn workloads(summary: &SummaryRecord) -> String {
    let without = if summary.without_baseline > 0 {
        format!(", {} without a baseline", summary.without_baseline)
    } else {
        String::new()
    };
    format!("{}{without}", summary.workloads)
}
