//! Tests of the functions of a tree, with small files.

use super::*;

fn scanned(files: &[(&str, &str)]) -> Vec<Scanned> {
    let mut scanned: Vec<Scanned> = files.iter().map(|(path, text)| Scanned::of(path, text)).collect();
    let macros = Macros::of(scanned.iter_mut().flat_map(|file| file.macros.drain(..)).collect());
    scanned.iter_mut().for_each(|file| file.expand(&macros));
    add_exported(&mut scanned);
    scanned
}

fn names(file: &Scanned) -> Vec<&str> {
    file.functions.keys().map(String::as_str).collect()
}

#[test]
fn macros_of_headers_make_functions_in_sources() {
    let header = "#define DEFINE_SHOW(n) \\\nstatic int n ## _open(struct inode *i)\\\n{\\\n\treturn 0;\\\n}\\\n\\\n\
                  static const struct x n ## _fops = { .open = n ## _open };\n#define OUTER(n) DEFINE_SHOW(n##_outer)\n\
                  #define HANDLER(n) void n(int a)\n";
    let source =
        "DEFINE_SHOW(first);\nOUTER(second)\nstatic HANDLER(third)\n{\n}\nSYSCALL_DEFINE1(fourth, int, a)\n{\n}\n";
    let files = scanned(&[("include/linux/x.h", header), ("fs/x.c", source)]);
    assert_eq!(names(&files[1]), ["first_open", "second_outer_open", "sys_fourth", "third"]);
    assert_eq!(files[1].functions["third"], Linkage::Static);
    assert_eq!(names(&files[0]), [""; 0]);
}

#[test]
fn export_without_a_definition_is_a_function() {
    let files = scanned(&[("fs/x.c", "EXPORT_SYMBOL(made);\nEXPORT_SYMBOL_GPL(known);\nint known(void)\n{\n}\n")]);
    assert_eq!(names(&files[0]), ["known", "made"]);
}

#[test]
fn included_sources_belong_to_their_includer() {
    let files = scanned(&[("kernel/sched/all.c", "#include \"../sched/rt.c\"\n"), ("kernel/sched/rt.c", "")]);
    let included = included_by(&files);
    assert_eq!(included["kernel/sched/rt.c"], ["kernel/sched/all.c"]);
    assert_eq!(included.len(), 1);
}

#[test]
fn only_text_of_supported_kernels_is_read() {
    for (path, is_read) in [
        ("kernel/fork.c", true),
        ("arch/x86/kernel/irq.c", true),
        ("arch/x86/boot/startup/sme.c", true),
        ("arch/x86/boot/main.c", false),
        ("arch/x86/um/x.c", false),
        ("arch/s390/mm/init.c", false),
        ("tools/perf/perf.c", false),
    ] {
        assert_eq!(is_kernel_text(path), is_read, "{path}");
    }
}
