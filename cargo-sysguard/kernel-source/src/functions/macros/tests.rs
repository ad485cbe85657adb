//! Tests of macros that make functions.

use super::*;

fn made(name: &str, parameters: &str, body: &str) -> (String, Macro) {
    let parameters = split(parameters).into_iter().map(str::to_owned).collect();
    (name.to_owned(), Macro { file: "include/linux/x.h".to_owned(), parameters, body: body.to_owned() })
}

fn expanded(macros: &[(String, Macro)], name: &str, arguments: &str, has_body: bool) -> Vec<String> {
    let call = Call { name: name.to_owned(), arguments: arguments.to_owned(), is_static: false, has_body };
    let mut found = Vec::new();
    Macros::of(macros.to_vec()).expand("fs/x.c", &call, &mut |name, _| found.push(name.to_owned()));
    found
}

#[test]
fn arguments_replace_parameters() {
    let variadic = made("V", "name, args...", "int name(args) { }");
    assert_eq!(expanded(&[variadic], "V", "f, int a, int b", false), ["f"]);
    let rest = made("R", "x, ...", "int f_##x(__VA_ARGS__) { } int x ##_g(void) { }");
    assert_eq!(expanded(&[rest], "R", "a, int b", false), ["f_a", "a_g"]);
}

#[test]
fn body_follows_the_last_function_of_a_call() {
    let handler = made("H", "f", "static void __##f(int a); void f(int a) { __##f(a); } static void __##f(int a)");
    assert_eq!(expanded(std::slice::from_ref(&handler), "H", "x", true), ["x", "__x"]);
    assert_eq!(expanded(&[handler], "H", "x", false), ["x"]);
}

#[test]
fn macros_of_expressions_make_nothing() {
    let all = [made("MIN", "a, b", "((a) < (b) ? (a) : (b))"), made("DO", "a", "do { f(a); } while (0)")];
    assert!(Macros::of(all.to_vec()).by_name.is_empty());
    assert_eq!(expanded(&all, "DO", "x", false), [""; 0]);
}

#[test]
fn families_have_one_entry() {
    for (name, arguments, expected) in [
        ("SYSCALL_DEFINE3", "read, int, fd", "sys_read"),
        ("COMPAT_SYSCALL_DEFINE1", "x, int, a", "compat_sys_x"),
        ("TRACE_EVENT", "sched_switch, TP_PROTO(a, b)", "event sched_switch"),
        ("DEFINE_EVENT", "class, name, args", "event name"),
        ("DEFINE_STATIC_CALL_RET0", "might_resched, f", "call might_resched"),
        ("BPF_CALL_1", "bpf_f, int, a", "bpf_f"),
        ("LSM_HOOK", "int, 0, file_open, struct file *file", "bpf_lsm_file_open"),
        ("DECLARE_IDTENTRY", "X86_TRAP_DE, exc_divide_error", "asm_exc_divide_error"),
    ] {
        assert_eq!(expanded(&[], name, arguments, false), [expected], "{name}");
    }
}
