//! The end of a run in machine formats: `{"kind": "exited", "code": 0}`. For serde's `with`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::kernel::signal;
use crate::model::run::workload::Exit;

/// An exit status or a signal.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum ExitRecord {
    Exited {
        code: i32,
    },
    Signaled {
        #[cfg_attr(test, schemars(regex(pattern = "^SIG")))]
        signal: String,
    },
    TimedOut,
}

pub(super) fn serialize<S: Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    let record = match *exit {
        Exit::Exited(code) => ExitRecord::Exited { code },
        Exit::Signaled(number) => ExitRecord::Signaled { signal: signal::name(number).into_owned() },
        Exit::TimedOut => ExitRecord::TimedOut,
    };
    record.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Exit, D::Error> {
    Ok(match ExitRecord::deserialize(deserializer)? {
        ExitRecord::Exited { code } => Exit::Exited(code),
        ExitRecord::Signaled { signal } => {
            let number = signal_number(&signal);
            Exit::Signaled(number.ok_or_else(|| D::Error::custom(format_args!("`{signal}` is not a signal")))?)
        }
        ExitRecord::TimedOut => Exit::TimedOut,
    })
}

/// Returns the number of a signal that [`signal::name`] wrote, including numbers without a name
/// (`SIG33`).
fn signal_number(name: &str) -> Option<i32> {
    signal::from_name(name).or_else(|| name.strip_prefix("SIG")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_round_trips_through_its_record() {
        for (exit, json) in [
            (Exit::Exited(3), r#"{"kind":"exited","code":3}"#),
            (Exit::Signaled(9), r#"{"kind":"signaled","signal":"SIGKILL"}"#),
            (Exit::Signaled(33), r#"{"kind":"signaled","signal":"SIG33"}"#),
            (Exit::TimedOut, r#"{"kind":"timed_out"}"#),
        ] {
            let mut written = Vec::new();
            serialize(&exit, &mut serde_json::Serializer::new(&mut written)).expect("plain data");
            assert_eq!(String::from_utf8_lossy(&written), json);
            assert_eq!(deserialize(&mut serde_json::Deserializer::from_str(json)).expect(json), exit);
        }
    }

    #[test]
    fn unknown_signal_name_is_an_error() {
        let json = r#"{"kind":"signaled","signal":"NOTHING"}"#;
        let error = deserialize(&mut serde_json::Deserializer::from_str(json)).expect_err("no such signal");
        assert_eq!(error.to_string(), "`NOTHING` is not a signal");
    }
}
