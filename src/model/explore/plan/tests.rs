//! Tests of the order of a plan, and of what it leaves out.

use proptest::prelude::*;

use super::*;
use crate::model::explore::samples::{call, survey};

/// Returns the steps as words: call, object, stack and occurrence.
fn words(plan: &Plan) -> Vec<String> {
    let word = |step: &Step| {
        let CallPoint { stack, occurrence, .. } = step.injection.point;
        let object = step.used.object.as_ref().map_or("-", |object| object.as_str());
        format!("{} {object} {stack}.{occurrence}", step.call)
    };
    plan.steps.iter().map(word).collect()
}

fn plan(calls: impl IntoIterator<Item = SurveyedCall>) -> Plan {
    Plan::new(&[survey(calls)], &PlanOptions::default())
}

#[test]
fn kinds_come_before_stacks_and_last_calls() {
    let reads = (0..4).map(|occurrence| call("readv", "file:ext4").at(7, 2, occurrence));
    let deep = call("readv", "file:xfs").at(6, 9, 0);
    let others = [call("dup", "pipe").at(5, 3, 0), call("ftruncate", "file:ext4").at(4, 1, 0)];
    let plan = plan(reads.chain([deep]).chain(others));
    let expected = [
        "ftruncate EIO file:ext4 4.0",
        "readv EIO file:ext4 7.0",
        "dup EMFILE pipe 5.0",
        "readv EIO file:xfs 6.0",
        "readv EIO file:ext4 7.3",
    ];
    assert_eq!(words(&plan), expected);
    assert_eq!(plan.reachable, 4);
    assert_eq!([0, 2, 4, 5].map(|tried| plan.paths(tried)), [0, 2, 4, 4]);
    assert_eq!(plan.untried(5), BTreeMap::from([(Untried::Repeated, 2)]));
    assert_eq!(plan.untried(3), BTreeMap::from([(Untried::Repeated, 2), (Untried::Budget, 2)]));
}

#[test]
fn best_error_of_each_kind_comes_first() {
    let plan = plan([call("getcwd", "").at(1, 1, 0), call("pipe2", "pipe").at(2, 5, 0)]);
    assert_eq!(
        words(&plan),
        ["getcwd ENOENT - 1.0", "pipe2 EMFILE pipe 2.0", "getcwd EACCES - 1.0", "pipe2 ENFILE pipe 2.0"]
    );
}

#[test]
fn what_is_left_out_is_counted() {
    let calls = [
        call("getcwd", "").at(1, 1, 0).of_loader(),
        call("brk", "").at(2, 1, 0),
        call("close", "pipe").at(3, 1, 0),
        call("rmdir", "dir:ext4").at(4, 1, 0),
        call("rmdir", "dir:ext4").at(4, 1, 1),
    ];
    let eacces = FaultName::from_name("EACCES").expect("a name");
    let options = PlanOptions { loader: false, faults: Some(BTreeSet::from([eacces])) };
    let some = Plan::new(&[survey(calls.clone())], &options);
    assert_eq!(words(&some), ["rmdir EACCES dir:ext4 4.0", "rmdir EACCES dir:ext4 4.1"]);
    let expected =
        [(Untried::Filtered, 6), (Untried::Loader, 1), (Untried::Exempt, 1), (Untried::NoFault(NoFault::NotHere), 1)];
    assert_eq!(some.untried(2), BTreeMap::from(expected));
    assert_eq!(some.reachable, 4);
    let all = Plan::new(&[survey(calls)], &PlanOptions { loader: true, faults: None });
    assert!(words(&all).contains(&"getcwd ENOENT - 1.0".to_owned()));
    assert!(!all.untried(0).contains_key(&Untried::Loader));
}

#[test]
fn path_that_some_surveys_lack_is_not_reachable() {
    let [both, once] = [call("dup", "pipe").at(9, 8, 0), call("dup", "pipe").at(1, 1, 0)];
    let plan = Plan::new(&[survey([both.clone(), once]), survey([both])], &PlanOptions::default());
    assert_eq!(words(&plan), ["dup EMFILE pipe 9.0"]);
    assert_eq!((plan.reachable, plan.untried(1)), (1, BTreeMap::from([(Untried::Varying, 1)])));
}

#[test]
fn stack_that_one_survey_shows_as_shared_is_shared() {
    let own = call("dup", "pipe").at(9, 8, 0);
    let shared = SurveyedCall { is_shared: true, ..own.clone() };
    let plan = Plan::new(&[survey([own]), survey([shared])], &PlanOptions::default());
    assert!(plan.steps.iter().all(|step| step.is_shared) && !plan.steps.is_empty() && plan.is_concurrent);
    let calls = (0..3).map(|occurrence| call("dup", "pipe").at(9, 8, occurrence));
    let plan =
        Plan::new(&[survey(calls.map(|call| SurveyedCall { is_shared: true, ..call }))], &PlanOptions::default());
    assert_eq!(words(&plan), ["dup EMFILE pipe 9.0"], "only its first call is tried");
}

#[test]
fn reason_that_one_survey_lacks_is_not_given() {
    let [own, loader] = [call("dup", "pipe").at(9, 8, 0), call("getcwd", "").at(1, 1, 0).of_loader()];
    let both = survey([own.clone(), loader]);
    assert_eq!(Plan::new(&[both.clone(), both.clone()], &PlanOptions::default()).untried(9).len(), 1);
    assert_eq!(Plan::new(&[both, survey([own])], &PlanOptions::default()).untried(9), BTreeMap::new());
}

#[test]
fn last_call_is_one_that_each_run_makes() {
    let dups = |count| survey((0..count).map(|occurrence| call("dup", "pipe").at(1, 1, occurrence)));
    let plan = Plan::new(&[dups(6), dups(4), dups(5)], &PlanOptions::default());
    assert_eq!(words(&plan), ["dup EMFILE pipe 1.0", "dup EMFILE pipe 1.3"]);
    assert_eq!(plan.untried(2), BTreeMap::from([(Untried::Repeated, 2), (Untried::Varying, 2)]));
}

#[test]
fn step_is_found_by_its_id() {
    let plan = plan([call("dup", "pipe").at(9, 8, 0), call("dup", "pipe").at(1, 1, 0)]);
    for step in &plan.steps {
        assert_eq!(plan.step(&step.id), Some(step));
        assert_eq!(plan.step(&step.injection.id()), Some(step));
    }
    assert_eq!(plan.step("dup-EMFILE-0"), None);
}

fn any_call() -> impl Strategy<Value = SurveyedCall> {
    let names = prop::sample::select(vec!["read", "write", "openat", "dup", "brk", "futex", "recvfrom", "close"]);
    let objects =
        prop::sample::select(vec!["", "file:ext4", "file:xfs", "file:proc", "pipe", "socket:AF_INET:SOCK_STREAM"]);
    (names, objects, 1_u64..5, 0_u32..4, any::<bool>(), 0_i64..5).prop_map(
        |(name, object, stack, occurrence, by_loader, returned)| {
            let call = call(name, object).args([3, 0, 8, 0, 0, 0]).returned(returned);
            let call = call.at(stack, stack as usize % 3, occurrence);
            if by_loader { call.of_loader() } else { call }
        },
    )
}

proptest! {
    #[test]
    fn plan_has_no_duplicates_and_leaves_nothing_uncounted(calls in prop::collection::vec(any_call(), 0..40)) {
        // A point is one call.
        let mut points = BTreeSet::new();
        let calls: Vec<_> = calls.into_iter().filter(|call| points.insert(call.point)).collect();
        let plan = plan(calls.clone());
        let injections: BTreeSet<_> = plan.steps.iter().map(|step| step.injection).collect();
        prop_assert_eq!(injections.len(), plan.steps.len());
        let ids: BTreeSet<_> = plan.steps.iter().map(|step| &step.id).collect();
        prop_assert_eq!(ids.len(), plan.steps.len());
        let own = calls.iter().filter(|call| !call.by_loader);
        let possible: usize = own.map(|call| plausible(call).map_or(0, |faults| faults.len())).sum();
        let repeated = plan.untried(0).get(&Untried::Repeated).copied().unwrap_or_default();
        prop_assert_eq!(plan.steps.len() as u64 + repeated, possible as u64);
        prop_assert_eq!(plan.paths(plan.steps.len()), plan.reachable);
        prop_assert!(plan.steps.is_sorted_by_key(|step| step.round));
    }

    #[test]
    fn order_of_calls_does_not_change_the_plan(
        calls in prop::collection::vec(any_call(), 0..30).prop_shuffle(),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut points = BTreeSet::new();
        let mut calls: Vec<_> = calls.into_iter().filter(|call| points.insert(call.point)).collect();
        let first = plan(calls.clone());
        if !calls.is_empty() {
            let middle = seed.index(calls.len());
            calls.rotate_left(middle);
        }
        prop_assert_eq!(plan(calls), first);
    }
}
