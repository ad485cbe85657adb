//! Every kind of malformed file, with the place and the message of the fault.

use super::{MAX_BYTES, read};

/// A text, the place of its fault, and the message.
type Row = (&'static str, &'static str, &'static str);

/// The text before each row of [`KEYS`].
const DOCUMENT: &str = "version: 1\nbin: demo\n";
/// The text before each row of [`BASELINES`].
const BASELINE: &str = "version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\n";

/// Whole files.
#[rustfmt::skip]
const WHOLE: &[Row] = &[
    ("", "1:1", "the file is empty: start with `version: 2` and a program, such as `bin: NAME`"),
    ("\n\n# c\n", "1:1", "the file is empty: start with `version: 2` and a program, such as `bin: NAME`"),
    ("---\n---\n", "2:1", "the file is empty: start with `version: 2` and a program, such as `bin: NAME`"),
    ("version: 3\nfoo: 1\n", "1:10", "version 3 is newer than the latest supported version 2: update sysguard"),
    ("version: one\n", "1:10", "invalid version `one`: write `version: 2`"),
    ("version: 0\n", "1:10", "invalid version `0`: write `version: 2`"),
    ("bin: x\n", "1:1", "missing `version`: add `version: 2`"),
    ("versoin: 1\nbin: x\n", "1:1", "unknown key `versoin`: did you mean `version`?"),
    ("version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nphases:\n  a b:\n", "6:3", "phases: invalid phase name `a b`: use only letters, digits, `_`, `.` and `-`"),
    ("version: 1\nbin: demo\n---\nplatform: x86_64-linux-gnu\nphases:\n  a:\n    network: read\n", "7:14", "phases.a.network: invalid type: string \"read\", expected a list such as `[a, b]`"),
    ("version: 1\nrun: a::b\nenv: {A: b}\n", "3:1", "`env` has no effect with `run`, because cargo or nextest runs the test: remove it"),
    ("version: 1\nrun: a::b\nexplore: {budget: 5s}\n", "3:1", "`explore` has no effect with `run`, because cargo or nextest runs the test: remove it"),
    ("version: 1\n", "1:1", "no program to run: add one of `command`, `bin`, `example`, `test`, `bench`"),
    ("version: 1\nbin: a\ncommand: [b]\n", "3:1", "both `command` and `bin` name a program: remove one of them"),
    ("- a\n", "1:1", "invalid type: sequence, expected a map of keys such as `version: 2`"),
    ("hello\n", "1:1", "invalid type: string \"hello\", expected a map of keys such as `version: 2`"),
    ("version: 1\ncommand: ls -l\n", "2:10", "command: invalid type: string \"ls -l\", expected a list such as `[a, b]`"),
    ("version: 1\ncommand: []\n", "2:10", "no program in `command`: write it as `[PROGRAM, ARGUMENT]`"),
    ("version: 1\ncommand: [\"\"]\n", "2:11", "no program in `command`: write it as `[PROGRAM, ARGUMENT]`"),
    ("version: 1\ncommand: [a, null]\n", "2:14", "empty list item: quote it if it is text, or remove it"),
    ("version: 1\ncommand: [a, {b: c}]\n", "2:14", "command[1]: invalid type: map, expected a string"),
    ("version: 1\nbin: [a]\n", "2:6", "bin: invalid type: sequence, expected text"),
    ("version: 1\nbin: \"\"\n", "2:6", "bin: empty value: write a name, or remove the key"),
    ("%YAML 1.2\n---\nversion: 1\n", "1:1", "YAML directives are not supported: remove the line"),
    ("version: 1\nbin: x\n---\nplatform: linux\n", "4:11", "platform: invalid platform `linux`: write one such as `x86_64-linux-gnu`"),
    ("version: 1\nbin: x\n---\nplatform:\n", "4:1", "baseline without `platform`: add `platform`, or remove the document"),
    ("version: 99999999999999999999\n", "1:10", "version 99999999999999999999 is newer than the latest supported version 2: update sysguard"),
    ("\u{feff}version: 1\r\nbin: demo\r\nfoo: x", "3:1", "unknown key `foo`: use one of `version`, `command`, `bin`, `example`, `test`, `bench`, `closure`, `run`, `args`, `env`, `with`, `stdin`, `cwd`, `timeout`, `requires`, `stop`, `level`, `ignore`, `exit`, `tolerate`, `forbid`, `ambient`, `families`, `explore`"),
];

/// Text after a valid start of the author's document.
#[rustfmt::skip]
const KEYS: &[Row] = &[
    ("timout: 5s\n", "3:1", "unknown key `timout`: did you mean `timeout`?"),
    ("timeout: 5\n", "3:10", "timeout: invalid duration `5`: write it as `60s`, `500ms` or `2m`"),
    ("timeout: 0s\n", "3:10", "timeout: invalid duration `0s`: write a longer one, such as `60s`"),
    ("timeout: 5 parsecs\n", "3:10", "timeout: invalid duration `5 parsecs`: write it as `60s`, `500ms` or `2m`"),
    ("timeout: {a: b}\n", "3:10", "timeout: invalid type: map, expected a duration such as `60s`"),
    ("stop: 2s\n", "3:7", "stop: invalid type: string \"2s\", expected a map such as `{after: 2s, signal: SIGTERM}`"),
    ("stop: {afte: 2s}\n", "3:8", "unknown key `afte`: did you mean `after`?"),
    ("stop: {signal: SIGTERM}\n", "3:7", "stop: missing field `after`"),
    ("stop: {after: 2s, signal: SIGTRM}\n", "3:27", "stop.signal: unknown signal `SIGTRM`: did you mean `SIGTERM`?"),
    ("stop:\n  after: 2s\n  signal: TERM\n", "5:11", "stop.signal: unknown signal `TERM`: did you mean `SIGTERM`?"),
    ("stdin: 5\n", "3:8", "stdin: invalid type: integer `5`, expected text in quotes, or `{file: PATH}`"),
    ("stdin: {fiel: x}\n", "3:9", "unknown key `fiel`: did you mean `file`?"),
    ("stdin: {}\n", "3:8", "stdin: missing field `file`"),
    ("stdin: [x]\n", "3:8", "stdin: invalid type: sequence, expected text in quotes, or `{file: PATH}`"),
    ("exit: 256\n", "3:7", "exit: invalid exit `256`: write a status from 0 to 255, or a signal such as `SIGTERM`"),
    ("exit: -1\n", "3:7", "exit: invalid exit `-1`: write a status from 0 to 255, or a signal such as `SIGTERM`"),
    ("exit: SIGTREM\n", "3:7", "exit: unknown signal `SIGTREM`: did you mean `SIGTERM`?"),
    ("exit: ok\n", "3:7", "exit: unknown signal `ok`"),
    ("level: objects\n", "3:8", "level: unknown level `objects`: did you mean `object`?"),
    ("level: deep\n", "3:8", "level: unknown level `deep`: use one of `subsystem`, `syscall`, `argument`, `object`, `error`, `signal`"),
    ("ambient: loose\n", "3:10", "ambient: invalid value `loose`: write `strict`, or remove the key"),
    ("tolerate: {syscall: a}\n", "3:11", "tolerate: invalid type: map, expected a list such as `[a, b]`"),
    ("tolerate: [getrusage]\n", "3:12", "tolerate[0]: invalid type: string \"getrusage\", expected a map such as `{syscall: getrusage, why: REASON}`"),
    ("tolerate:\n  - {why: x}\n", "4:5", "this rule matches every call: add a part, such as `subsystem`, `syscall`, `path` or `writes`"),
    ("tolerate:\n  - {signal: SIGSEV}\n", "4:14", "tolerate[0].signal: unknown signal `SIGSEV`: did you mean `SIGSEGV`?"),
    ("forbid:\n  - {signal: SIGSEGV, syscall: read, why: x}\n", "4:23", "`syscall` has no effect with `signal`, because a signal is no call: remove it"),
    ("tolerate:\n  - {syscal: x}\n", "4:6", "unknown key `syscal`: did you mean `syscall`?"),
    ("forbid:\n  - {subsystem: bfp}\n", "4:17", "forbid[0].subsystem: unknown subsystem `bfp`: did you mean `bpf`?"),
    ("forbid:\n  - {error: ENOET}\n", "4:13", "forbid[0].error: unknown error `ENOET`: did you mean `ENOENT`?"),
    ("forbid:\n  - {program: ''}\n", "4:15", "forbid[0].program: empty value: write a name, or remove the key"),
    ("forbid:\n  - {program: /bin/sh}\n", "4:15", "forbid[0].program: invalid program `/bin/sh`: write its name without a folder, such as `curl` or `python3*`"),
    ("forbid:\n  - {program: 'a[b'}\n", "4:15", "forbid[0].program: invalid glob `a[b`: invalid range pattern"),
    ("forbid:\n  - {address: globl}\n", "4:15", "forbid[0].address: unknown class of addresses `globl`: did you mean `global`?"),
    ("forbid:\n  - {address: 10.0.0.0/33}\n", "4:15", "forbid[0].address: invalid address `10.0.0.0/33`: its prefix has at most 32 bits"),
    ("forbid:\n  - {address: 10.1.0.0/8}\n", "4:15", "forbid[0].address: invalid address `10.1.0.0/8`: bits behind the prefix are set, so write `10.0.0.0/8`"),
    ("forbid:\n  - {address: 'example.org:80'}\n", "4:15", "forbid[0].address: invalid address `example.org:80`: write a class such as `global`, or `10.0.0.0/8`, `127.0.0.1:5432`, `[::1]:80`"),
    ("forbid:\n  - {path: etc/passwd}\n", "4:12", "forbid[0].path: invalid path `etc/passwd`: begin it with `/`, `~`, `$HOME`, `$TMPDIR`, `$PWD` or `**/`"),
    ("forbid:\n  - {path: '/a[b'}\n", "4:12", "forbid[0].path: invalid path `/a[b`: invalid range pattern"),
    ("forbid:\n  - {writes: yes}\n", "4:14", "forbid[0].writes: invalid value `yes`: write `true`, or remove the key"),
    ("tolerate:\n  - {writes: false}\n", "4:14", "tolerate[0].writes: invalid value `false`: write `true`, or remove the key"),
    ("forbid:\n  - {syscall: 'open at'}\n", "4:15", "forbid[0].syscall: invalid syscall name `open at`: use only letters, digits, `_` and `-`"),
    ("forbid:\n  - \n", "4:5", "empty list item: quote it if it is text, or remove it"),
    ("env: [a]\n", "3:6", "env: invalid type: sequence, expected a map"),
    ("env: {A: }\n", "3:7", "`A` has no value: write \"\" for an empty value (variables are not inherited)"),
    ("env: {'': x}\n", "3:7", "invalid variable name ``: it must be non-empty and hold no `=`"),
    ("env: {A: [x]}\n", "3:10", "env.A: invalid type: sequence, expected a string"),
    ("env: {? [a] : x}\n", "3:9", "a key must be text: put it in quotes"),
    ("bin: x\n", "3:1", "duplicate key `bin` (first on line 2): remove one of them"),
    ("env:\n  A: 1\n  A: 2\n", "5:3", "duplicate key `A` (first on line 4): remove one of them"),
    ("args: &a [x]\n", "3:7", "anchors are not supported: repeat the value instead"),
    ("args: *a\n", "3:7", "aliases are not supported: write the value itself"),
    ("args: !!seq [x]\n", "3:7", "tags are not supported: remove it"),
    ("cwd: !x y\n", "3:6", "tags are not supported: remove it"),
    ("args: [x\n", "3:9", "invalid YAML: while parsing a flow sequence, expected ',' or ']'"),
    ("args: 'x\n", "3:7", "invalid YAML: while scanning a quoted scalar, found unexpected end of stream"),
    ("\targs: [x]\n", "3:1", "tab in the indentation: use spaces"),
    ("  args: [x]\n", "3:7", "invalid YAML: mapping values are not allowed in this context"),
    ("args: [x]]\n", "3:10", "invalid YAML: misplaced bracket"),
    ("@x: y\n", "3:1", "invalid YAML: unexpected character: `@'"),
    ("<<<<<<< HEAD\nlevel: error\n=======\nlevel: object\n>>>>>>> b\n", "3:1", "git conflict marker: resolve the conflict, then bless again"),
    (">>>>>>> b\n", "3:1", "git conflict marker: resolve the conflict, then bless again"),
    ("=======\n", "3:8", "invalid YAML: simple key expect ':'"),
    ("%YAML 1.1\n", "3:1", "YAML directives are not supported: remove the line"),
    ("args: [a\rb]\n", "3:9", "carriage return without a line feed: end lines with a line feed"),
    ("args: [\u{1}]\n", "3:8", "character U+0001 is not allowed here: write it as \"\\u0001\" in double quotes"),
    ("args: [\"\\0\"]\n", "3:8", "NUL character: remove it, no program argument can hold it"),
    ("# \u{2028}x\n", "3:3", "character U+2028 is not allowed here: write it as \"\\u2028\" in double quotes"),
    ("...\nfoo: bar\n", "4:1", "text after the end of a document: start the next document with a line `---`"),
    ("---\n", "3:4", "baseline without `platform`: add `platform`, or remove the document"),
    ("---\nfoo\n", "4:1", "baseline without `platform`: add `platform`, or remove the document"),
    ("---\nsubsystems: {}\n", "4:1", "baseline without `platform`: add `platform`, or remove the document"),
    ("--- platform: x\n", "3:13", "invalid YAML: mapping values are not allowed in this context"),
    ("? a\n: b\n", "3:3", "unknown key `a`: use one of `version`, `command`, `bin`, `example`, `test`, `bench`, `closure`, `run`, `args`, `env`, `with`, `stdin`, `cwd`, `timeout`, `requires`, `stop`, `level`, `ignore`, `exit`, `tolerate`, `forbid`, `ambient`, `families`, `explore`"),
    ("~: a\n", "3:1", "a key must be text: put it in quotes"),
    ("<<: {a: b}\n", "3:1", "unknown key `<<`: use one of `version`, `command`, `bin`, `example`, `test`, `bench`, `closure`, `run`, `args`, `env`, `with`, `stdin`, `cwd`, `timeout`, `requires`, `stop`, `level`, `ignore`, `exit`, `tolerate`, `forbid`, `ambient`, `families`, `explore`"),
    ("exit: [0]\n", "3:7", "exit: invalid type: sequence, expected an exit status or a signal such as `SIGTERM`"),
    ("level: [x\n", "3:10", "invalid YAML: while parsing a flow sequence, expected ',' or ']'"),
    ("cwd: ''\n", "3:6", "cwd: empty value: write a name, or remove the key"),
    ("cwd: {a: b}\n", "3:6", "cwd: invalid type: map, expected text"),
    ("requires: x\n", "3:11", "requires: invalid type: string \"x\", expected a list such as `[a, b]`"),
    ("requires: ['']\n", "3:12", "requires[0]: empty value: write a name, or remove the key"),
    ("ignore: ''\n", "3:9", "ignore: empty value: write a name, or remove the key"),
    ("args: [*]\n", "3:8", "aliases are not supported: write the value itself"),
    ("ignore: a: b\n", "3:10", "invalid YAML: mapping values are not allowed in this context"),
    ("stop: {after: 99999999999999999999s}\n", "3:15", "stop.after: invalid duration `99999999999999999999s`: write it as `60s`, `500ms` or `2m`"),
    ("args:\n\t- x\n", "4:1", "tab in the indentation: use spaces"),
    ("|x\n", "3:1", "invalid YAML: while scanning a block scalar, did not find expected comment or line break"),
    ("env: {A: x}\nwith: {A: {bin: b}}\n", "4:8", "`A` is already set by `env`: rename one of them"),
    ("with: {A: }\n", "3:8", "`A` needs exactly one target: `{bin: NAME}` or `{example: NAME}`"),
    ("with: {A=B: {bin: b}}\n", "3:8", "invalid variable name `A=B`: it must be non-empty and hold no `=`"),
    ("with: {A: b}\n", "3:11", "with.A: invalid type: string \"b\", expected a map such as `{bin: NAME}`"),
    ("with: {A: {bin: b, example: c}}\n", "3:8", "`A` needs exactly one target: `{bin: NAME}` or `{example: NAME}`"),
    ("with: {A: {bun: b}}\n", "3:12", "unknown key `bun`: did you mean `bin`?"),
    ("with: [a]\n", "3:7", "with: invalid type: sequence, expected a map"),
    ("env: {A=B: x}\n", "3:7", "invalid variable name `A=B`: it must be non-empty and hold no `=`"),
    ("tolerate:\n  - {object: ''}\n", "4:14", "tolerate[0].object: empty value: write a name, or remove the key"),
    ("tolerate:\n  - {error: null}\n", "4:5", "this rule matches every call: add a part, such as `subsystem`, `syscall`, `path` or `writes`"),
    ("tolerate:\n  - {signal: SIGSEV}\n", "4:14", "tolerate[0].signal: unknown signal `SIGSEV`: did you mean `SIGSEGV`?"),
    ("forbid:\n  - {signal: SIGSEGV, syscall: read, why: x}\n", "4:23", "`syscall` has no effect with `signal`, because a signal is no call: remove it"),
    ("explore: 60s\n", "3:10", "explore: invalid type: string \"60s\", expected a map such as `{budget: 60s, forbid: [silent, hang]}`"),
    ("explore: {bugdet: 5s}\n", "3:11", "unknown key `bugdet`: did you mean `budget`?"),
    ("explore: {budget: 0s}\n", "3:19", "explore.budget: invalid duration `0s`: write a longer one, such as `60s`"),
    ("explore: {forbid: [silence]}\n", "3:20", "explore.forbid[0]: unknown outcome `silence`: did you mean `silent`?"),
    ("explore: {forbid: [reported]}\n", "3:20", "explore.forbid[0]: unknown outcome `reported`: use one of `silent`, `panic`, `signal`, `hang`"),
    ("explore: {except: [{why: x}]}\n", "3:20", "this exception matches every outcome: add a part, such as `syscall`, `error` or `outcome`"),
    ("explore: {except: [{sycall: read}]}\n", "3:21", "unknown key `sycall`: did you mean `syscall`?"),
    ("explore: {except: [{syscall: raed}]}\n", "3:30", "explore.except[0].syscall: unknown syscall `raed`: did you mean `read`?"),
    ("explore: {except: [{error: ENOPSC}]}\n", "3:28", "explore.except[0].error: unknown error `ENOPSC`: did you mean `ENOSPC`?"),
    ("explore: {except: [read]}\n", "3:20", "explore.except[0]: invalid type: string \"read\", expected a map such as `{syscall: fsync, error: EIO, why: REASON}`"),
    ("exit: 0\n  level: x\n", "4:8", "invalid YAML: mapping values are not allowed in this context"),
];

/// Text after a valid start of a baseline.
#[rustfmt::skip]
const BASELINES: &[Row] = &[
    ("subsystem: {}\n", "5:1", "unknown key `subsystem`: did you mean `subsystems`?"),
    ("subsystems:\n  filesytem:\n    close:\n", "6:3", "subsystems: unknown subsystem `filesytem`: did you mean `filesystem`?"),
    ("subsystems:\n  filesystem:\n    close: yes\n", "7:12", "subsystems.filesystem.close: invalid type: string \"yes\", expected a list of uses, a map such as `{uses: [file]}`, or nothing"),
    ("subsystems:\n  filesystem:\n    close:\n      object: [x]\n", "8:7", "unknown key `object`: did you mean `objects`?"),
    ("subsystems:\n  filesystem:\n    close:\n      objects: x\n", "8:16", "subsystems.filesystem.close.objects: invalid type: string \"x\", expected a list such as `[a, b]`"),
    ("subsystems:\n  filesystem:\n    close:\n      seen: often\n", "8:13", "subsystems.filesystem.close.seen: invalid value `often`: write `sometimes`, or remove the key"),
    ("subsystems:\n  filesystem:\n    close:\n      errors: [EFOO]\n", "8:16", "subsystems.filesystem.close.errors[0]: unknown error `EFOO`"),
    ("subsystems:\n  filesystem:\n    close:\n      abi: [i368]\n", "8:13", "subsystems.filesystem.close.abi[0]: unknown ABI `i368`: did you mean `i386`?"),
    ("subsystems: [a]\n", "5:13", "subsystems: invalid type: sequence, expected a map"),
    ("subsystems:\n  filesystem: close\n", "6:15", "subsystems.filesystem: invalid type: string \"close\", expected a map"),
    ("quiet: yes\n", "5:8", "quiet: invalid value `yes`: write `never`, or remove the key"),
    ("runs: 10\n", "5:7", "runs: invalid number of runs `10`: a complete recording has no `runs`, remove the key"),
    ("runs: some\n", "5:7", "runs: invalid number `some`: write digits alone"),
    ("fingerprint: x\n", "5:14", "fingerprint: invalid type: string \"x\", expected a map such as `{kernel: \"6.18\", libc: glibc 2.36}`"),
    ("fingerprint:\n  kernal: '6.18'\n", "6:3", "unknown key `kernal`: did you mean `kernel`?"),
    ("fingerprint:\n  libc: ''\n", "6:9", "fingerprint.libc: empty value: write a name, or remove the key"),
    ("blind_spots: io_uring\n", "5:14", "blind_spots: invalid type: string \"io_uring\", expected a list such as `[a, b]`"),
    ("signals: [SIGSEV]\n", "5:11", "signals[0]: unknown signal `SIGSEV`: did you mean `SIGSEGV`?"),
    ("blind_spots: ['']\n", "5:15", "blind_spots[0]: empty value: write a name, or remove the key"),
    ("---\nplatform: x86_64-linux-gnu\n", "6:11", "second baseline of x86_64-linux-gnu: keep one, then bless again"),
    ("nonsense: x\n", "5:1", "unknown key `nonsense`: use one of `version`, `platform`, `fingerprint`, `quiet`, `runs`, `subsystems`, `phases`, `blind_spots`, `signals`, `errors`"),
    ("subsystems:\n  filesystem:\n    close:\n    close:\n", "8:5", "duplicate key `close` (first on line 7): remove one of them"),
    ("subsystems:\n  filesystem:\n    'a b':\n", "7:5", "subsystems.filesystem: invalid syscall name `a b`: use only letters, digits, `_` and `-`"),
    ("owner: me\n", "5:1", "unknown key `owner`: use one of `version`, `platform`, `fingerprint`, `quiet`, `runs`, `subsystems`, `phases`, `blind_spots`, `signals`, `errors`"),
    ("subsystems: {filesystem: {close: {seen: [x]}}}\n", "5:41", "subsystems.filesystem.close.seen: invalid type: sequence, expected `sometimes`"),
    ("subsystems: {filesystem: {close: {why: [x]}}}\n", "5:40", "subsystems.filesystem.close.why: invalid type: sequence, expected a string"),
    ("subsystems:\n  network:\n    socket:\n      - AF_INET\n", "8:7", "version 1 has no uses: write `arguments` and `objects`, or bless the baseline"),
    ("subsystems:\n  network:\n    socket:\n      uses: [AF_INET]\n", "8:7", "version 1 has no uses: write `arguments` and `objects`, or bless the baseline"),
    ("errors: [write]\n", "5:9", "errors: invalid type: sequence, expected a map such as `{uses: {…}, outcomes: {panic: [write ENOSPC]}}`"),
    ("errors: {subsystems: }\n", "5:10", "unknown key `subsystems`: use one of `budget`, `tried`, `reachable`, `uses`, `blind_spots`, `signals`, `outcomes`"),
    ("errors: {outcomes: {panics: [write EIO]}}\n", "5:21", "errors.outcomes: unknown outcome `panics`: did you mean `panic`?"),
    ("errors: {outcomes: {panic: [write]}}\n", "5:29", "errors.outcomes.panic[0]: invalid call `write`: write the syscall, its argument if it has one, and an error, such as `write ENOSPC`"),
    ("errors: {outcomes: {panic: write EIO}}\n", "5:28", "errors.outcomes.panic: invalid type: string \"write EIO\", expected a list such as `[a, b]`"),
    ("errors: {budget: 60s, tried: 4}\n", "5:9", "`errors` without `reachable`: add it, or remove `budget`, `tried` and `reachable`"),
    ("errors: {budget: 60s, tried: few, reachable: 9}\n", "5:30", "errors.tried: invalid number `few`: write digits alone"),
    ("errors: {uses: {filesytem: }}\n", "5:17", "errors.uses: unknown subsystem `filesytem`: did you mean `filesystem`?"),
    ("errors: {uses: {filesystem: {link: {whi: x}}}}\n", "5:37", "unknown key `whi`: did you mean `why`?"),
    ("errors: {uses: {filesystem: {link: [file]}}}\n", "5:36", "version 1 has no uses: write `arguments` and `objects`, or bless the baseline"),
    ("version: 2\n", "5:10", "version 2 in a file of version 1: write `version: 2` in the first document"),
    ("version: 3\n", "5:10", "version 3 is newer than the latest supported version 2: update sysguard"),
];

/// The text before each row of [`PAIRED`].
const PAIRED_BASELINE: &str = "version: 2\nbin: demo\n---\nplatform: x86_64-linux-gnu\nsubsystems:\n  network:\n";

/// Text after a valid start of the subsystem `network` in version 2.
#[rustfmt::skip]
const PAIRED: &[Row] = &[
    ("    socket:\n      arguments: [AF_INET]\n", "8:7", "`arguments` belongs to version 1: list uses such as `- ARGUMENT OBJECT`"),
    ("    socket:\n      objects: [file]\n", "8:7", "`objects` belongs to version 1: list uses such as `- ARGUMENT OBJECT`"),
    ("    socket:\n      - a  file\n", "8:9", "invalid use `a  file`: write `ARGUMENT OBJECT`, one of them, or a map of them"),
    ("    socket:\n      - a file b\n", "8:9", "invalid use `a file b`: write `ARGUMENT OBJECT`, one of them, or a map of them"),
    ("    socket:\n      - ''\n", "8:9", "invalid use ``: write `ARGUMENT OBJECT`, one of them, or a map of them"),
    ("    socket:\n      - {}\n", "8:9", "empty use: add an `argument`, an `object` or both"),
    ("    socket:\n      - {why: a}\n", "8:9", "empty use: add an `argument`, an `object` or both"),
    ("    socket:\n      - {argument: }\n", "8:9", "empty use: add an `argument`, an `object` or both"),
    ("    socket:\n      - {argument: ''}\n", "8:20", "subsystems.network.socket[0].argument: empty value: write a name, or remove the key"),
    ("    socket:\n      - {argumnet: a}\n", "8:10", "unknown key `argumnet`: did you mean `argument`?"),
    ("    socket:\n      - [a]\n", "8:9", "subsystems.network.socket[0]: invalid type: sequence, expected a use such as `F_GETFD file`, or a map such as `{argument: F_GETFD, object: file}`"),
    ("    socket:\n      uses: a\n", "8:13", "subsystems.network.socket.uses: invalid type: string \"a\", expected a list such as `[a, b]`"),
    ("    socket:\n      uses: [a, {argument: a, way: b}]\n", "8:31", "unknown key `way`: did you mean `why`?"),
    ("    socket: a\n", "7:13", "subsystems.network.socket: invalid type: string \"a\", expected a list of uses, a map such as `{uses: [file]}`, or nothing"),
];

/// Returns every malformed text with its expected place and message.
pub(crate) fn malformed() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let under = |above: &'static str| move |&(text, place, message): &Row| (format!("{above}{text}"), place, message);
    let rows = WHOLE.iter().map(under("")).chain(KEYS.iter().map(under(DOCUMENT)));
    rows.chain(BASELINES.iter().map(under(BASELINE))).chain(PAIRED.iter().map(under(PAIRED_BASELINE)))
}

#[test]
fn malformed_file_has_place_and_message() {
    for (text, place, message) in malformed() {
        let malformed = read(text.as_bytes()).expect_err(&text);
        assert_eq!(
            (format!("{}:{}", malformed.line, malformed.column).as_str(), malformed.message.as_str()),
            (place, message),
            "{text}"
        );
        assert!(malformed.excerpt.chars().count() <= 200 && !malformed.excerpt.contains(char::is_control), "{text}");
    }
}

#[test]
fn invalid_utf8_is_reported_with_place() {
    let malformed = read(b"version: 1\nbin: d\xc3\xa9\xff\n").expect_err("not UTF-8");
    insta::assert_snapshot!(malformed.within("a.yaml"), @r"
    a.yaml:2:8: byte 0xff is not UTF-8: save the file as UTF-8
      | bin: dé�
    ");
    let malformed = read(&[b'#'; MAX_BYTES + 1]).expect_err("too large");
    insta::assert_snapshot!(malformed.within("a.yaml"), @"a.yaml:1:1: the file is larger than 1 MiB: check that it is the right file");
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [1, 63, 64, 65, 200, 100_000] {
        let text = format!("{DOCUMENT}args: {}x{}\n", "[".repeat(depth), "]".repeat(depth));
        let malformed = read(text.as_bytes()).map(drop);
        let too_deep =
            malformed.is_err_and(|malformed| malformed.message == "nested deeper than 64 levels: use fewer levels");
        assert_eq!(too_deep, depth >= 64, "{depth}");
    }
}

#[test]
fn too_many_documents_are_refused() {
    let text = DOCUMENT.to_owned() + &"---\n".repeat(100_000);
    let malformed = read(text.as_bytes()).expect_err("too many");
    assert_eq!(malformed.message, "more than 256 documents: keep one baseline for each platform");
}
