//! `review` on screens of two sizes: visible lines, and stacks one screen at a time.

use super::pending::{PROPOSAL, REMARKS, TALK_NEW, proposing};
use super::project::Project;
use super::session::Session;

/// The end of the output before a key is read.
const PROMPT: &str = "\n> ";

/// Returns a package with a proposal that is longer than a small screen.
fn remarked(name: &str) -> Project {
    let long = "/srv/data/of/a/service ".repeat(30);
    let remarks = format!(
        "{REMARKS}# examples:\n#   network::connect:\n#     call: connect(3, {long})\n#     in: [sh -c …, curl -s x]\n"
    );
    proposing(name).file(TALK_NEW, &format!("{PROPOSAL}{remarks}"))
}

pub(crate) fn key_stays_on_the_screen() {
    let project = remarked("review-screen");
    for (rows, columns) in [(24, 80), (50, 200)] {
        let mut session = Session::start_on(&project, &["review"], (rows, columns));
        let lines: Vec<String> = session.until(PROMPT).lines().map(str::to_owned).collect();
        let screen = &lines[lines.len().saturating_sub(rows.into())..];
        let shown = screen.join("\n");
        assert!(shown.contains("1 of 4  new-subsystem  net::talk::network::connect\n"), "{rows} rows:\n{shown}");
        let widest = lines.iter().map(|line| line.chars().count()).max();
        assert!(widest <= Some(columns.into()), "{widest:?} of {columns} columns:\n{shown}");
        assert!(shown.contains("\n  first   connect(3, /srv/data/of/a/service "), "{shown}");
        assert!(shown.contains("\n          "), "lines wrap:\n{shown}");
        assert!(shown.ends_with(
            "\n[a]ccept  with r[e]ason  [r]eject  [s]kip  [u]ndo  stac[k]  [o]pen  [?]  [q]uit\n\
             the whole cause, in every workload: [g] accept  [x] reject\n> "
        ));
        session.press("?");
        let help = session.until("Press a key to continue. ");
        assert!(
            help.contains("  u  undo the last decision") && help.contains("  g, x  accept or reject all"),
            "{help}"
        );
        session.press(" ");
        assert!(session.until(PROMPT).contains("\n1 of 4  "));
        session.press("q");
        assert_eq!(session.ends(), Some(101));
    }
}

pub(crate) fn stack_is_shown_by_screen() {
    let frames: String = (0..40).map(|at| format!("#       - \"demo::recurse at src/main.rs:{at}\"\n")).collect();
    let stacks = format!(
        "# site_reasons:\n#   network::socket: replaced\n# stacks:\n#   - of: [\"network::connect\"]\n#     frames:\n{frames}"
    );
    let project = proposing("review-stack").file(
        TALK_NEW,
        &format!("{PROPOSAL}{REMARKS}{stacks}")
            .replace("#   network::socket: http 1.2.0 http::get, called by demo::fetch at src/main.rs:7\n", ""),
    );
    let before = project.files();
    for (rows, columns, screens) in [(24, 80, &[19, 2][..]), (50, 200, &[][..])] {
        let mut session = Session::start_on(&project, &["review"], (rows, columns));
        session.until(PROMPT);
        session.press("k");
        for rest in screens.iter().map(|last| if *last == 19 { 21 } else { 2 }) {
            let shown = session.until(&format!("\n{rest} more lines: k shows them, another key continues. "));
            assert!(
                shown.contains("\nstack of net::talk::network::connect\n  demo::recurse at src/main.rs:"),
                "{shown}"
            );
            assert!(shown.trim_start().lines().count() <= rows.into(), "{shown}");
            session.press("k");
        }
        let last = session.until("\nPress a key to continue. ");
        assert!(last.contains("  demo::recurse at src/main.rs:39\n"), "{last}");
        assert!(last.trim_start().lines().count() <= rows.into(), "{last}");
        session.press(" ");
        assert!(session.until(PROMPT).contains("\n1 of 4  "));
        session.press("s");
        assert!(session.until(PROMPT).contains("\n2 of 4  "));
        session.press("k");
        let shown = session.until(PROMPT);
        let reason = "\nno stack: execve had replaced the program before its stack was read\n";
        assert!(shown.contains(reason) && shown.contains("\n2 of 4  "), "{shown}");
        session.press("q");
        assert_eq!(session.ends(), Some(101));
    }
    assert_eq!(project.changed_since(&before), [""; 0]);
}
