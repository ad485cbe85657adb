//! Tests. They start processes of this test process, one run at a time.

use std::time::Duration;

use super::*;
use crate::linux::command::{Environment, Stream};

const LONG: Limits = Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_millis(100) };

fn shell(script: &str) -> Command {
    Command {
        program: "/bin/sh".into(),
        argv: ["sh", "-c", script].map(Into::into).to_vec(),
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: true,
    }
}

fn run(command: Command, limits: &Limits) -> Result<UntracedOutcome, TraceError> {
    run_untraced(command, limits, |_| Ok(()))
}
