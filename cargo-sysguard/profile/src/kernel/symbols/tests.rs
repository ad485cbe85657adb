//! Tests of the symbols: which name an address has.

use super::*;

fn name(symbols: &Symbols, address: u64) -> Option<&str> {
    symbols.at(address).map(|at| symbols.all()[at].name.as_str())
}

#[test]
fn addresses_belong_to_the_function_before_them() {
    let text = "ffffffff81000000 T _stext\nffffffff81000000 t first\nffffffff81000100 T second\n\
                ffffffff81000200 D data\nffffffffc0000000 t third\t[module]\n";
    let symbols = Symbols::parse(text).expect("addresses");
    assert_eq!(name(&symbols, 0xffff_ffff_8100_0000), Some("first"));
    assert_eq!(name(&symbols, 0xffff_ffff_8100_00ff), Some("first"));
    assert_eq!(name(&symbols, 0xffff_ffff_8100_0210), Some("second"));
    assert_eq!(name(&symbols, 0xffff_ffff_8200_0000), None);
    assert_eq!(name(&symbols, 0xffff_ffff_c000_0010), Some("third"));
    assert_eq!(name(&symbols, 0x1000), None);
    let modules: Vec<_> = symbols.all().iter().map(|symbol| symbol.module.as_deref()).collect();
    assert_eq!(modules, [None, None, Some("module")]);
}

#[test]
fn hidden_addresses_are_no_symbols() {
    assert!(Symbols::parse("0000000000000000 T _stext\n0000000000000000 t first\n").is_none());
}

#[test]
fn alias_that_perf_shows_is_kept() {
    for (lines, best) in [
        (["W weak_alias", "t local"], "local"),
        (["t local", "T global"], "global"),
        (["T __memcpy", "T memcpy"], "memcpy"),
        (["T short", "T longer_name"], "longer_name"),
        (["t __pfx_only", "t only"], "only"),
        (["t __cfi_only", "t only"], "only"),
        (["T __noinstr_text_start", "t only"], "only"),
    ] {
        let text: String = lines.iter().map(|line| format!("ffffffff81000000 {line}\n")).collect();
        let symbols = Symbols::parse(&text).expect("addresses");
        assert_eq!(name(&symbols, 0xffff_ffff_8100_0000), Some(best), "{lines:?}");
    }
}
