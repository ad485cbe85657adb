//! Verdicts as CSV: a line for each finding, note, suspect and removed fact, or one for a workload
//! without any.

use std::io;

use super::alerts::placed;
use super::batch::{PackageVerdicts, all};
use super::headline;
use crate::model::facts::finding::Finding;
use crate::model::facts::finding::Suspect;
use crate::model::judge::groups::Cause;
use crate::model::judge::verdict::{Status, Verdict};

const COLUMNS: [&str; 10] =
    ["package", "workload", "path", "line", "outcome", "difference", "key", "calls", "remarks", "group"];

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for (package, verdict) in all(packages) {
        let outcome = outcome(verdict);
        let mut row = |line: Option<usize>, [difference, key, calls, remarks, group]: [&str; 5]| {
            let line = line.map(|line| line.to_string()).unwrap_or_default();
            let path = package.path(verdict);
            let cells =
                [&package.name, &verdict.workload, &path, &line, outcome, difference, key, calls, remarks, group];
            csv.write_record(cells)
        };
        let comparison = &verdict.comparison;
        if !comparison.has_new_facts() && comparison.gone.is_empty() {
            row(verdict.line, ["", "", "", &headline(verdict), ""])?;
        }
        let findings = comparison.findings.iter().map(|finding| (finding, finding.rule()));
        for (finding, difference) in findings.chain(comparison.notes.iter().map(|note| (note, "note"))) {
            let key = finding.fact.key(&verdict.workload);
            let group = Cause::of(&verdict.workload, finding).id();
            row(finding.line, [difference, &key, &finding.calls.to_string(), &remarks(finding), &group])?;
        }
        for Suspect { finding, seen, runs } in &comparison.suspects {
            let (key, count) = (finding.fact.key(&verdict.workload), format!("in {seen} of {runs} runs"));
            let group = Cause::of(&verdict.workload, finding).id();
            row(finding.line, ["suspect", &key, &finding.calls.to_string(), &count, &group])?;
        }
        for fact in &comparison.gone {
            row(verdict.line, ["gone", &fact.key(&verdict.workload), "", "", ""])?;
        }
    }
    csv.flush()
}

fn outcome(verdict: &Verdict) -> &'static str {
    match verdict.status {
        Status::Ignored { .. } => "ignored",
        _ if verdict.status.is_failure() => "failed",
        _ => "passed",
    }
}

fn remarks(finding: &Finding) -> String {
    let details = finding.details.iter().map(|detail| detail.value().into_owned());
    let by = finding.site.iter().map(|site| format!("by {}", site.words));
    let example = finding.example.iter().map(placed);
    let (forbidden, cause) = (finding.forbidden.iter().cloned(), finding.cause.iter().cloned());
    forbidden.chain(details).chain(cause).chain(example).chain(by).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verdict::samples::packages;

    #[test]
    fn each_difference_is_a_line() {
        let mut out = Vec::new();
        write(&mut out, &packages()).expect("memory takes everything");
        insta::assert_snapshot!(String::from_utf8(out).expect("CSV is text"), @r#"
        package,workload,path,line,outcome,difference,key,calls,remarks,group
        demo,net::hello,expectations/net/hello.yaml,5,failed,new-subsystem,net::hello::network,2,,@b5bbba91
        demo,net::hello,expectations/net/hello.yaml,5,failed,new-blind-spot,net::hello::blind_spots::io_uring,0,,@8d8d0ed3
        demo,net::hello,expectations/net/hello.yaml,5,failed,new-syscall,net::hello::network::connect,1,socket:AF_INET:SOCK_STREAM,@cab6ed74
        demo,net::hello,expectations/net/hello.yaml,5,failed,new-syscall,net::hello::network::socket,1,AF_INET socket:AF_INET:SOCK_STREAM,@20308fe9
        demo,net::hello,expectations/net/hello.yaml,7,failed,new-object,net::hello::filesystem::close::object=dir,12,,@f5404b83
        demo,net::hello,expectations/net/hello.yaml,7,failed,note,net::hello::filesystem::close::error=EBADF,3,,@c37b9015
        demo,net::hello,expectations/net/hello.yaml,5,failed,gone,net::hello::filesystem::readlink,,,
        demo,debugger,expectations/debugger.yaml,10,failed,new-syscall,debugger::process::ptrace,3,,@dcbca424
        demo,debugger,expectations/debugger.yaml,,failed,new-syscall,debugger::process::getpid,1,,@13a66fca
        demo,gone,expectations/gone.yaml,5,passed,gone,gone::filesystem::readlink,,,
        demo-net,offline,crates/demo net/expectations/offline.yaml,5,failed,forbidden,offline::network,2,"works, offline: 100%",@9ee656d6
        demo-net,other::passed,crates/demo net/expectations/other/passed.yaml,5,passed,,,,as expected,
        demo-net,other::blessed,crates/demo net/expectations/other/blessed.yaml,5,passed,,,,"blessed, nothing changed",
        demo-net,other::no-baseline,crates/demo net/expectations/other/no-baseline.yaml,5,failed,,,,no baseline for x86_64-linux-gnu yet,
        demo-net,other::wrong-exit,crates/demo net/expectations/other/wrong-exit.yaml,5,failed,,,,"ended with signal SIGSEGV, expected exit status 0",
        demo-net,other::ignored,crates/demo net/expectations/other/ignored.yaml,5,ignored,,,,"ignored, because",
        demo-net,other::malformed,crates/demo net/expectations/other/malformed.yaml,5,failed,,,,"malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand`",
        demo-net,other::not-started,crates/demo net/expectations/other/not-started.yaml,5,failed,,,,"not started, because",
        demo-net,other::untraceable,crates/demo net/expectations/other/untraceable.yaml,5,failed,,,,"not traced, because",
        demo-net,other::broken,crates/demo net/expectations/other/broken.yaml,5,failed,,,,"no verdict, because",
        "#);
    }
}
