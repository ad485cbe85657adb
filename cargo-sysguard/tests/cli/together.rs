//! Several programs in one workload: a server and its client, a service beside a program. The
//! documents come from the guide's recipes.

use libtest_mimic::Trial;

use super::project::{Project, tracing, tracing_with};

const SERVER: &str = r#"
use std::io::{Read, Write};
fn main() {
    let port_file = std::env::args().nth(1).expect("a file for the port");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    std::fs::write(port_file, listener.local_addr().expect("an address").port().to_string()).expect("a file");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a client");
        let mut request = [0; 4];
        stream.read_exact(&mut request).expect("a request");
        stream.write_all(b"pong").expect("an answer");
    }
}
"#;

const CLIENT: &str = r#"
use std::io::{Read, Write};
fn main() {
    let port = std::env::args().nth(1).expect("a port").parse().expect("a number");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server");
    stream.write_all(b"ping").expect("a request");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"pong");
}
"#;

const RECIPES: &str = include_str!("../../../src/guide/recipes.md");

/// Returns the document below this heading, without its version.
fn recipe(heading: &str) -> &'static str {
    let section = RECIPES.split(&format!("# {heading}\n")).nth(1).expect("the heading");
    let block = section.split("```yaml\nversion: 2\n").nth(1).expect("a document");
    block.split("\n```").next().expect("its end")
}

pub(crate) fn trials() -> Vec<Trial> {
    trials![together:
        tracing client_and_server_of_one_package,
        tracing server_that_ends_early_fails_soon,
        tracing server_left_running_ends_with_the_run,
        tracing target_that_does_not_exist_is_3,
        tracing_with(&["python3", "curl"]) web_server_beside_a_client,
        tracing_with(&["redis-server"]) service_beside_a_program,
    ]
}

/// Returns the document with unique program names, because all projects share a target directory.
fn both(name: &str) -> String {
    let document = recipe("A server and its client");
    let named = document.replace("{bin: server}", &format!("{{bin: {name}-server}}"));
    named.replace("{bin: client}", &format!("{{bin: {name}-client}}"))
}

fn package(name: &str, server: &str, client: &str) -> Project {
    let project = Project::new(name).file(&format!("src/bin/{name}-server.rs"), server);
    project.file(&format!("src/bin/{name}-client.rs"), client)
}

fn client_and_server_of_one_package() {
    let project = package("together-both", SERVER, CLIENT).expecting("both", &both("together-both"));
    project.sysguard("bless").ends(0);
    let baseline = project.read("expectations/both.yaml");
    for call in ["accept4", "connect", "listen"] {
        assert!(baseline.contains(&format!("    {call}:\n")), "{baseline}");
    }
    for engine in ["guard", "ptrace"] {
        let ran = project.sysguard(&format!("test --engine {engine}")).ends(0);
        assert!(ran.stderr.ends_with("1 workload traced, 0 new\n"), "{}", ran.stderr);
    }
    // A change in either program is rebuilt and found.
    project.write(
        "src/bin/together-both-client.rs",
        &CLIENT.replace("{\n    let port", "{\n    drop(std::os::unix::net::UnixDatagram::unbound());\n    let port"),
    );
    let ran = project.sysguard("test").ends(101);
    assert!(ran.stdout.contains("unix::socket"), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 workload traced, ") && ran.stderr.contains(" new in 1 workload"), "{}", ran.stderr);
}

fn server_that_ends_early_fails_soon() {
    let server = "fn main() { eprintln!(\"no port\"); std::process::exit(3) }";
    let project =
        package("together-early", server, CLIENT).expecting("both", &(both("together-early") + "\ntimeout: 300s"));
    let started = std::time::Instant::now();
    let ran = project.sysguard("bless").ends(101);
    assert!(ran.stderr.contains("expected exit status 0") && ran.stderr.contains("no port"), "{}", ran.stderr);
    assert!(started.elapsed().as_secs() < 200, "its time limit would have ended it");
}

fn server_left_running_ends_with_the_run() {
    let left = both("together-left").replace("    kill $!\n", "");
    let project = package("together-left", SERVER, CLIENT).expecting("both", &left);
    project.sysguard("bless --runs 1").ends(0);
    project.sysguard("test").ends(0);
    let running = super::project::run(super::project::command("ps").args(["-eo", "args"]));
    assert!(!running.stdout.contains("together-left-server port.txt"), "{}", running.stdout);
}

fn target_that_does_not_exist_is_3() {
    let project = package("together-none", SERVER, CLIENT)
        .expecting("both", &both("together-none").replace("none-client", "none-clint"));
    let ran = project.sysguard("test").ends(3);
    assert!(ran.stdout.contains("has no bin target named `together-none-clint`"), "{}", ran.stdout);
}

fn web_server_beside_a_client() {
    const DOCUMENT: &str = r#"command:
  - sh
  - -c
  - |
    set -e
    echo hello > page.txt
    python3 -u -m http.server --bind 127.0.0.1 0 > log.txt 2>&1 &
    until sleep 0.1 && grep -q 'port [0-9]' log.txt; do kill -0 $!; done
    curl --silent --fail "http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\).*/\1/p' log.txt)/page.txt"
    kill $!
requires: [python3, curl]"#;
    let project = Project::new("together-web").expecting("web", DOCUMENT);
    project.sysguard("bless").ends(0);
    let ran = project.sysguard("test").ends(0);
    assert!(ran.stderr.ends_with("1 workload traced, 0 new\n"), "{}", ran.stderr);
}

fn service_beside_a_program() {
    const PROGRAM: &str = r#"
use std::io::{Read, Write};
fn main() {
    let socket = std::env::args().nth(1).expect("a socket");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("redis");
    stream.write_all(b"PING\r\n").expect("a request");
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"+PONG\r\n");
}
"#;
    let document = recipe("A database client").replace("{bin: app}", "{bin: together-redis}");
    let project = Project::new("together-redis").file("src/main.rs", PROGRAM).expecting("app", &document);
    project.sysguard("bless").ends(0);
    assert!(project.read("expectations/app.yaml").contains("socket:AF_UNIX"), "the client and redis");
    project.sysguard("test").ends(0);
}
