//! Rules that forbid an argument in memory, which a filter cannot see.

use sysguard::unstable::linux::inherited;
use sysguard::unstable::model::expectation::{Document, format};
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::observe::observation::Observation;
use sysguard::unstable::runner::{observe_guarded, observe_notified};
use sysguard::unstable::settings;

use crate::runs::{LIMITS, command, document, facts, holding, traced};

const SCRIPT: &str = "use Socket; socket(S, PF_INET, SOCK_DGRAM, 0); my $to = sockaddr_in(9, inet_aton('127.0.0.1'));
connect(S, $to); send(S, 'x', 0); socket(T, PF_INET, SOCK_DGRAM, 0); send(T, 'x', 0, $to)";

fn forbidding(rule: &str) -> Document {
    let text = format!("version: 1\ncommand: [\"true\"]\nforbid:\n  - {rule}\n");
    format::read(text.as_bytes()).expect("a document").expectation.document
}

fn shows(observation: &Observation, document: &Document) -> bool {
    observation.uses.keys().any(|used| document.forbid.iter().any(|rule| rule.matches(used, None)))
}

pub(crate) fn forbidden_address_is_seen_by_every_engine() {
    let words = ["perl", "-e", SCRIPT];
    let platform = settings::platform();
    let by_ptrace = traced(&words);
    let baseline = holding(&facts(&by_ptrace, &platform), &platform);
    let by_notify = {
        let (command, _output) = command(&words);
        observe_notified(command, &LIMITS).expect("a run by notifications").0
    };
    let guarded = |document: &Document| {
        let (command, _output) = command(&words);
        let guard = Guard::new(document, &baseline, &platform, &inherited(&command)).expect("a guard");
        observe_guarded(command, &LIMITS, &guard).expect("a guarded run").0
    };
    for (rule, expected) in [
        ("{syscall: connect, argument: loopback}", true),
        ("{syscall: sendto, argument: loopback}", true),
        ("{argument: loopback}", true),
        ("{argument: global}", false),
        ("{syscall: execve, argument: perl}", true),
        ("{syscall: execve, argument: curl}", false),
    ] {
        let document = forbidding(rule);
        let seen = [shows(&by_ptrace, &document), shows(&by_notify, &document), shows(&guarded(&document), &document)];
        assert_eq!(seen, [expected; 3], "{rule}");
    }
    // Without a rule, too: the class is a fact of the baseline.
    assert!(shows(&guarded(&document()), &forbidding("{syscall: connect, argument: loopback}")));
}
