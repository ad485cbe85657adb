//! Device names without numbers: the machine decides which of several equal devices a program gets,
//! not the workload.

/// Removes the numbers: `pts/3` → `pts`, `tty1` → `tty`, `cpu/0/msr` → `cpu/msr`, `net/tun` →
/// `net/tun`.
pub(super) fn without_number(device: &str) -> String {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let named = device.split('/').filter(|part| !is_number(part));
    let mut name = named.collect::<Vec<_>>().join("/");
    let kept = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-').len();
    name.truncate(kept);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_removed() {
        for (device, name) in [
            ("null", "null"),
            ("urandom", "urandom"),
            ("pts/3", "pts"),
            ("tty", "tty"),
            ("tty63", "tty"),
            ("ttyS0", "ttyS"),
            ("net/tun", "net/tun"),
            ("cpu/0/msr", "cpu/msr"),
            ("dri/card1", "dri/card"),
            ("i2c-7", "i2c"),
            ("input/event12", "input/event"),
            ("loop-control", "loop-control"),
            ("snd/pcmC0D0p", "snd/pcmC0D0p"),
        ] {
            assert_eq!(without_number(device), name);
        }
    }
}
