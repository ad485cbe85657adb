//! Tests of the index: it is read as written, and the built-in one is intact.

use kernel_source::{Functions, SourceFile, Version};

use super::*;

fn file(path: &str, section: Option<&str>, included_by: &[&str], functions: &[(&str, Linkage)]) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        subsystem: path.split('/').next().expect("a folder").to_owned(),
        section: section.map(str::to_owned),
        included_by: included_by.iter().map(|path| (*path).to_owned()).collect(),
        functions: functions.iter().map(|(name, linkage)| ((*name).to_owned(), *linkage)).collect(),
    }
}

fn trees() -> Vec<Functions> {
    let (old, new) = (Version::new(6, 12, 1), Version::new(7, 1, 2));
    let rt = file("kernel/rt.c", None, &["kernel/all.c"], &[("both", Linkage::Static)]);
    let all = file("kernel/all.c", Some("SCHED"), &[], &[("sched", Linkage::Global), ("weak", Linkage::Weak)]);
    let before = file("mm/a.c", Some("MM"), &[], &[("both", Linkage::Static), ("gone", Linkage::Global)]);
    let after = file("mm/a.c", Some("NEW MM"), &[], &[("both", Linkage::Static), ("came", Linkage::Global)]);
    vec![
        Functions { version: old, files: vec![all.clone(), rt.clone(), before] },
        Functions { version: new, files: vec![all, rt, after] },
    ]
}

fn places(found: &Found, name: &str) -> Vec<String> {
    let candidates = found.candidates(name).iter();
    let shown = candidates.map(|&(at, linkage)| {
        let place = &found.files[at].place;
        format!("{} {} {:?} {linkage:?}", place.file, place.subsystem, place.section.as_deref().unwrap_or("-"))
    });
    shown.collect()
}

#[test]
fn functions_of_each_version_are_found() {
    let index = Index::read(&encode(&trees())).expect("an index");
    assert_eq!(index.versions(), ["6.12.1", "7.1.2"]);
    let names = ["both", "gone", "came", "sched", "weak"];
    let old = index.find(0, names.into_iter());
    assert_eq!(places(&old, "both"), ["kernel/rt.c kernel \"-\" Static", "mm/a.c mm \"MM\" Static"]);
    assert_eq!(places(&old, "gone"), ["mm/a.c mm \"MM\" Global"]);
    assert_eq!(places(&old, "came"), [""; 0]);
    let new = index.find(1, names.into_iter());
    assert_eq!(places(&new, "came"), ["mm/a.c mm \"NEW MM\" Global"]);
    assert_eq!(places(&new, "gone"), [""; 0]);
    assert_eq!(places(&new, "weak"), ["kernel/all.c kernel \"SCHED\" Weak"]);
    assert_eq!(new.files[0].object, new.files[1].object);
    assert_ne!(new.files[0].object, new.files[2].object);
}

#[test]
fn built_in_index_is_intact() {
    let rest = BUILT_IN.strip_prefix(MAGIC.as_bytes()).expect("an index");
    let end = rest.windows(2).position(|pair| pair == b"\n\n").expect("a header");
    let header = std::str::from_utf8(&rest[..end]).expect("text");
    let digest = format!("digest {:016x}.", encode::digest(&rest[end + 2..]));
    assert!(header.ends_with(&digest), "{header}: {digest}");
    assert_eq!(Index::built_in().versions().len(), 3);
}

#[test]
fn damaged_index_is_refused() {
    assert!(Index::read(b"").is_none());
    let bytes = encode(&trees());
    assert!(Index::read(&bytes[..MAGIC.len() + 10]).is_none());
}
