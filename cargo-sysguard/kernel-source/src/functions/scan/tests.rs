//! Tests of the scanner, with one declaration each.

use super::*;

fn functions(text: &str) -> Vec<(&str, Linkage)> {
    let mut found = Vec::new();
    scan(text, &mut |item| {
        if let Item::Function { name, linkage } = item {
            found.push((name, linkage));
        }
    });
    found
}

fn calls(text: &str) -> Vec<(&str, &str, bool)> {
    let mut found = Vec::new();
    scan(text, &mut |item| {
        if let Item::Call { name, arguments, has_body, .. } = item {
            found.push((name, arguments, has_body));
        }
    });
    found
}

#[test]
fn definitions_of_every_form_are_functions() {
    for (text, name, linkage) in [
        ("int f(int a)\n{\n\treturn g(a);\n}\n", "f", Linkage::Global),
        ("static inline struct x *f(void) { return 0; }", "f", Linkage::Static),
        ("void __weak f(void)\n{\n}\n", "f", Linkage::Weak),
        ("static __printf(1, 2) void f(const char *s, ...)\n{\n}\n", "f", Linkage::Static),
        ("__attribute__((noinline)) int f(void)\n{\n}\n", "f", Linkage::Global),
        ("int f(void) __acquires(lock)\n{\n}\n", "f", Linkage::Global),
        ("int (*f(int a))(int b)\n{\n}\n", "f", Linkage::Global),
        ("struct x f(int (*g)(int))\n{\n}\n", "f", Linkage::Global),
        ("EXPORT_SYMBOL(other)\nint f(void)\n{\n}\n", "f", Linkage::Global),
        ("int\nf(int a,\n  int b)\n{\n}\n", "f", Linkage::Global),
    ] {
        assert_eq!(functions(text), [(name, linkage)], "{text}");
    }
}

#[test]
fn other_declarations_are_no_functions() {
    for text in [
        "int f(int a);\n",
        "struct s {\n\tint (*f)(void);\n};\n",
        "static const struct ops o = {\n\t.f = g(1),\n};\n",
        "int (*f)(int) = g;\n",
        "static int a = sizeof(int);\n",
        "/* int f(void) { } */\n",
        "#define F(x) int f(void) { }\n",
        "static DEFINE_MUTEX(lock);\n",
        "enum e { A, B };\n",
        "__setup(\"x=\", f);\n",
    ] {
        assert_eq!(functions(text), [], "{text}");
    }
}

#[test]
fn unbalanced_braces_end_at_the_first_column() {
    let text = "int f(int a)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t}\n}\nint g(void)\n{\n}\n";
    assert_eq!(functions(text), [("f", Linkage::Global), ("g", Linkage::Global)]);
}

#[test]
fn macro_calls_may_have_bodies() {
    let text = "DEFINE_SHOW(x);\nSYSCALL_DEFINE1(read, int, fd)\n{\n\tF(1);\n}\nstatic HANDLER(h)\n{\n}\nBARE(y)\nint g(void)\n{\n}\n";
    let expected = [
        ("DEFINE_SHOW", "x", false),
        ("SYSCALL_DEFINE1", "read, int, fd", true),
        ("HANDLER", "h", true),
        ("BARE", "y", false),
    ];
    assert_eq!(calls(text), expected);
    assert_eq!(functions(text), [("g", Linkage::Global)]);
}

#[test]
fn macros_includes_and_labels_are_found() {
    let text = "#define M(a, b) \\\n\tint a##b(void) { }\n#define N 1\n#include \"rt.c\"\n#include <x.h>\n\
                asm(\".text\\n\\t\"\n    \"label:\\n\"\n    \"ret\\nsecond: nop\");\n";
    let mut found = Vec::new();
    scan(text, &mut |item| found.push(item));
    let expected = [
        Item::Macro { name: "M", parameters: "a, b", body: " \\\n\tint a##b(void) { }" },
        Item::Include("rt.c"),
        Item::Label("label"),
        Item::Label("second"),
    ];
    assert_eq!(found, expected);
}
