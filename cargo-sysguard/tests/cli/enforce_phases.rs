//! `enforce --per-phase`: a program that installs the profile of each phase at its begin.

use libtest_mimic::Trial;

use super::project::{Project, run, tracing};

pub(crate) fn trials() -> Vec<Trial> {
    trials![enforce_phases: tracing program_tightens_itself_at_each_phase]
}

/// Installs the profiles if asked to, and then makes calls of an earlier phase if asked to.
const PROGRAM: &str = r#"
#[path = "seccomp.serving.rs"]
mod serving;
#[path = "seccomp.startup.rs"]
mod startup;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let is = |word: &str| asked.iter().any(|asked| asked == word);
    sysguard_phase::phase("startup");
    if is("install") {
        startup::install().expect("the first profile");
    }
    let text = std::fs::read_to_string("/proc/self/comm").expect("a file");
    sysguard_phase::phase("serving");
    if is("install") {
        serving::install().expect("the second profile");
    }
    let sum = std::thread::spawn(|| (1..10).sum::<i32>()).join().expect("a thread");
    print!("{sum} {text}");
    if is("again") {
        println!("{:?}", std::fs::read_to_string("/proc/self/comm").map_err(|error| error.raw_os_error()));
    }
}
"#;

const NO_FILTER: &str = "pub fn install() -> std::io::Result<()> {\n    Ok(())\n}\n";

fn program_tightens_itself_at_each_phase() {
    const NAME: &str = "enforce_phases";
    let project = Project::new(NAME)
        .file("src/main.rs", PROGRAM)
        .file("src/seccomp.startup.rs", NO_FILTER)
        .file("src/seccomp.serving.rs", NO_FILTER)
        .expecting("demo", &format!("bin: {NAME}"));
    let phase = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("phase");
    let phase = format!("sysguard-phase = {{ path = \"{}\" }}", phase.display());
    let manifest = project.read("Cargo.toml");
    project
        .write("Cargo.toml", &manifest.replace("[dev-", &format!("[dependencies]\nlibc = \"0.2\"\n{phase}\n\n[dev-")));
    project.sysguard("bless demo").ends(0);
    let built = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects/debug").join(NAME);
    let program = |words: &[&str]| run(project.run_by(&built.display().to_string()).args(words));
    for (action, again) in [("enosys", Some("Err(Some(38))\n")), ("kill", None)] {
        let line = "enforce demo --format rust --arguments --per-phase=startup,serving -o src/seccomp.rs";
        project.sysguard(&format!("{line} --action {action}")).ends(0);
        run(project.run_by(env!("CARGO")).args(["build", "--quiet"])).ends(0);
        let expected = program(&[]).ends(0).stdout;
        assert_eq!(program(&["install"]).ends(0).stdout, expected, "{action}");
        let ran = program(&["install", "again"]);
        match again {
            Some(denied) => assert_eq!(ran.ends(0).stdout, format!("{expected}{denied}")),
            // A signal counts as -1.
            None => drop(ran.ends(-1)),
        }
    }
}
