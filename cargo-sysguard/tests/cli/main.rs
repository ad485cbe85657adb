//! The subcommand and the harness against real cargo projects: exit codes, and what is on disk
//! afterwards.
//!
//! A trial that needs tracing is ignored with its reason where tracing is impossible, and fails
//! there under SYSGUARD_REQUIRE=1.

#[cfg(target_os = "linux")]
mod bless;
#[cfg(target_os = "linux")]
mod closing;
#[cfg(target_os = "linux")]
mod closures;
#[cfg(target_os = "linux")]
mod diff;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod explain;
#[cfg(target_os = "linux")]
mod formats;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(target_os = "linux")]
mod hooks;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod left;
#[cfg(target_os = "linux")]
mod list;
#[cfg(target_os = "linux")]
mod mutations;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod pending;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod project;
#[cfg(target_os = "linux")]
mod pull_request;
#[cfg(target_os = "linux")]
mod readme;
#[cfg(target_os = "linux")]
mod refused;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod review;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod run_names;
#[cfg(target_os = "linux")]
mod run_shared;
#[cfg(target_os = "linux")]
mod run_slots;
#[cfg(target_os = "linux")]
mod run_transparent;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod stable;
#[cfg(target_os = "linux")]
mod streams;
#[cfg(target_os = "linux")]
mod test;
#[cfg(target_os = "linux")]
mod together;
#[cfg(target_os = "linux")]
mod trace;
#[cfg(target_os = "linux")]
mod usage;

#[cfg(target_os = "linux")]
use project::{needing, nextest, tracing, untraced};

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

#[cfg(not(target_os = "linux"))]
fn trials() -> Vec<Trial> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn trials() -> Vec<Trial> {
    let commands = of_workloads().into_iter().chain(of_proposals()).chain(of_readings());
    let others = ends::trials().into_iter().chain(left::trials()).chain(run::trials()).chain(closures::trials());
    let others = others
        .chain(hooks::trials())
        .chain(names::trials())
        .chain(signals::trials())
        .chain(places::trials())
        .chain(streams::trials())
        .chain(together::trials())
        .chain(init::trials())
        .chain(readme::trials())
        .chain(closing::trials())
        .chain(run_names::trials())
        .chain(run_shared::trials())
        .chain(run_slots::trials())
        .chain(run_transparent::trials());
    commands.chain(others).collect()
}

/// What is run and blessed.
#[cfg(target_os = "linux")]
fn of_workloads() -> Vec<Trial> {
    vec![
        untraced("usage::cargo_finds_it_and_its_help", usage::cargo_finds_it_and_its_help),
        untraced(
            "usage::what_is_wrong_usage_is_2_and_writes_nothing",
            usage::what_is_wrong_usage_is_2_and_writes_nothing,
        ),
        untraced("usage::a_bad_variable_is_named", usage::a_bad_variable_is_named),
        untraced("usage::nothing_to_test_is_fine_and_said", usage::nothing_to_test_is_fine_and_said),
        untraced("list::every_name_also_of_malformed_files", list::every_name_also_of_malformed_files),
        untraced("list::packages_are_selected_as_by_cargo", list::packages_are_selected_as_by_cargo),
        untraced("harness::listing_runs_nothing", harness::listing_runs_nothing),
        nextest("harness::nextest_lists_and_runs_it", harness::nextest_lists_and_runs_it),
        tracing("harness::it_selects_and_ends_as_libtest_does", harness::it_selects_and_ends_as_libtest_does),
        nextest("harness::nextest_skips_what_lacks_its_program", harness::nextest_skips_what_lacks_its_program),
        tracing("harness::ignored_workloads_give_their_reasons", harness::ignored_workloads_give_their_reasons),
        tracing("bless::twice_changes_no_byte", bless::twice_changes_no_byte),
        tracing("bless::a_failure_leaves_the_others_written", bless::a_failure_leaves_the_others_written),
        tracing("bless::a_new_fact_is_an_added_line", bless::a_new_fact_is_an_added_line),
        #[cfg(target_arch = "x86_64")]
        tracing("bless::notifications_write_the_same_bytes", bless::notifications_write_the_same_bytes),
        tracing("test::a_new_subsystem_fails_and_is_proposed", test::a_new_subsystem_fails_and_is_proposed),
        tracing("test::the_diff_tool_shows_the_change", test::the_diff_tool_shows_the_change),
        tracing("test::without_a_harness_file_the_same_happens", test::without_a_harness_file_the_same_happens),
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        tracing("test::a_dependency_that_moved_is_named", test::a_dependency_that_moved_is_named),
        tracing("test::each_status_has_its_exit_code", test::each_status_has_its_exit_code),
        tracing("test::a_target_that_does_not_compile_is_3", test::a_target_that_does_not_compile_is_3),
        tracing("test::endless_durations_are_fine", test::endless_durations_are_fine),
        tracing("test::a_timeout_fails_and_proposes_nothing", test::a_timeout_fails_and_proposes_nothing),
        tracing(
            "test::what_cannot_be_proposed_is_told_all_the_same",
            test::what_cannot_be_proposed_is_told_all_the_same,
        ),
        tracing("stable::what_only_some_runs_show_is_a_suspect", stable::what_only_some_runs_show_is_a_suspect),
        tracing(
            "stable::what_every_run_shows_fails_and_only_that_is_proposed",
            stable::what_every_run_shows_fails_and_only_that_is_proposed,
        ),
        tracing("stable::a_harness_confirms_as_it_is_told", stable::a_harness_confirms_as_it_is_told),
        tracing(
            "stable::a_new_subsystem_and_the_forbidden_fail_at_once",
            stable::a_new_subsystem_and_the_forbidden_fail_at_once,
        ),
        tracing(
            "stable::a_wrong_exit_of_a_confirming_run_is_a_failure_of_its_own",
            stable::a_wrong_exit_of_a_confirming_run_is_a_failure_of_its_own,
        ),
        tracing("stable::a_recording_goes_on_until_it_is_quiet", stable::a_recording_goes_on_until_it_is_quiet),
        tracing(
            "stable::what_never_becomes_quiet_is_said_and_written",
            stable::what_never_becomes_quiet_is_said_and_written,
        ),
        tracing("stable::one_cpu_is_not_enough_to_record", stable::one_cpu_is_not_enough_to_record),
        tracing("stable::drift_is_told_where_something_is_new", stable::drift_is_told_where_something_is_new),
        tracing("mutations::each_is_found_by_both_engines", mutations::each_is_found_by_both_engines),
    ]
}

/// What is decided on.
#[cfg(target_os = "linux")]
fn of_proposals() -> Vec<Trial> {
    vec![
        untraced("pending::what_is_printed_is_accepted", pending::what_is_printed_is_accepted),
        untraced(
            "pending::a_syscall_takes_its_details_along_and_nothing_else",
            pending::a_syscall_takes_its_details_along_and_nothing_else,
        ),
        untraced(
            "pending::whence_it_comes_is_told_and_never_accepted",
            pending::whence_it_comes_is_told_and_never_accepted,
        ),
        untraced(
            "pending::a_read_only_tree_is_one_clear_error_and_loses_nothing",
            pending::a_read_only_tree_is_one_clear_error_and_loses_nothing,
        ),
        untraced(
            "pending::a_proposal_that_cannot_be_written_is_told",
            pending::a_proposal_that_cannot_be_written_is_told,
        ),
        untraced("pending::rejecting_drops_and_remembers_nothing", pending::rejecting_drops_and_remembers_nothing),
        untraced(
            "pending::a_key_that_matches_nothing_is_2_and_writes_nothing",
            pending::a_key_that_matches_nothing_is_2_and_writes_nothing,
        ),
        untraced(
            "pending::a_proposal_that_does_not_fit_is_one_clear_error",
            pending::a_proposal_that_does_not_fit_is_one_clear_error,
        ),
        untraced(
            "pending::a_printed_key_wins_over_a_workload_of_that_name",
            pending::a_printed_key_wins_over_a_workload_of_that_name,
        ),
        untraced("pending::proposals_may_lie_elsewhere", pending::proposals_may_lie_elsewhere),
        untraced("pending::orphans_become_what_is_asked", pending::orphans_become_what_is_asked),
        tracing("pending::what_a_test_proposes_can_be_decided_on", pending::what_a_test_proposes_can_be_decided_on),
        tracing("pull_request::lives_from_its_finding_to_its_merge", pull_request::lives_from_its_finding_to_its_merge),
        untraced(
            "review::accept_reason_reject_and_skip_to_the_byte",
            review::accept_reason_reject_and_skip_to_the_byte,
        ),
        untraced("review::the_diff_tool_has_the_terminal", review::the_diff_tool_has_the_terminal),
        untraced("review::capitals_mean_the_whole_workload", review::capitals_mean_the_whole_workload),
        untraced("review::one_reason_holds_for_the_whole_workload", review::one_reason_holds_for_the_whole_workload),
        untraced(
            "review::every_way_out_leaves_the_terminal_as_it_was",
            review::every_way_out_leaves_the_terminal_as_it_was,
        ),
        needing("review::ctrl_z_suspends_and_resumes", review::ctrl_z_suspends_and_resumes),
        untraced("review::whence_a_finding_comes_is_shown", review::whence_a_finding_comes_is_shown),
        untraced(
            "review::a_read_only_tree_ends_it_with_everything_pending",
            review::a_read_only_tree_ends_it_with_everything_pending,
        ),
        untraced("review::without_a_terminal_it_shows_what_to_type", review::without_a_terminal_it_shows_what_to_type),
    ]
}

/// What is read, compared and reported.
#[cfg(target_os = "linux")]
fn of_readings() -> Vec<Trial> {
    vec![
        untraced(
            "diff::a_revision_is_compared_with_the_working_tree",
            diff::a_revision_is_compared_with_the_working_tree,
        ),
        untraced("diff::a_revision_that_matches_nothing_is_2", diff::a_revision_that_matches_nothing_is_2),
        untraced(
            "diff::what_was_malformed_then_is_told_and_what_is_now_fails",
            diff::what_was_malformed_then_is_told_and_what_is_now_fails,
        ),
        tracing(
            "diff::both_revisions_are_traced_without_a_baseline",
            diff::both_revisions_are_traced_without_a_baseline,
        ),
        tracing("diff::what_could_not_be_traced_is_counted", diff::what_could_not_be_traced_is_counted),
        tracing(
            "diff::what_a_trace_of_revisions_made_is_gone_even_when_it_is_killed",
            diff::what_a_trace_of_revisions_made_is_gone_even_when_it_is_killed,
        ),
        untraced("explain::a_name_is_told_with_who_uses_it", explain::a_name_is_told_with_who_uses_it),
        untraced("explain::what_nothing_knows_is_2_with_near_names", explain::what_nothing_knows_is_2_with_near_names),
        untraced(
            "explain::it_needs_no_project_and_a_broken_file_is_told",
            explain::it_needs_no_project_and_a_broken_file_is_told,
        ),
        needing(
            "explain::a_kernel_tree_answers_in_place_of_the_tables",
            explain::a_kernel_tree_answers_in_place_of_the_tables,
        ),
        untraced(
            "report::the_evidence_is_the_same_bytes_in_every_format",
            report::the_evidence_is_the_same_bytes_in_every_format,
        ),
        untraced(
            "report::a_taxonomy_is_named_and_its_mistakes_have_places",
            report::a_taxonomy_is_named_and_its_mistakes_have_places,
        ),
        tracing("report::a_trace_speaks_the_words_it_is_asked_to", report::a_trace_speaks_the_words_it_is_asked_to),
        untraced(
            "report::a_rule_on_a_call_that_does_not_exist_is_malformed",
            report::a_rule_on_a_call_that_does_not_exist_is_malformed,
        ),
        untraced("list::machines_read_the_same", list::machines_read_the_same),
        tracing("formats::a_machine_has_standard_output_for_itself", formats::a_machine_has_standard_output_for_itself),
        tracing("formats::github_gets_annotations_and_a_summary", formats::github_gets_annotations_and_a_summary),
        tracing("formats::junit_has_every_selected_workload", formats::junit_has_every_selected_workload),
        tracing("formats::sarif_points_into_the_expectation", formats::sarif_points_into_the_expectation),
        tracing("formats::a_file_is_written_whole_or_nothing_runs", formats::a_file_is_written_whole_or_nothing_runs),
        tracing("formats::bless_tells_what_it_wrote", formats::bless_tells_what_it_wrote),
        project::tracing_with(
            "trace::sections_follow_what_was_reached",
            &["perl"],
            trace::sections_follow_what_was_reached,
        ),
        tracing("trace::it_exits_as_the_command_did", trace::it_exits_as_the_command_did),
        untraced("trace::its_own_failures_have_their_codes", trace::its_own_failures_have_their_codes),
        tracing("trace::the_command_keeps_its_streams", trace::the_command_keeps_its_streams),
        #[cfg(target_arch = "x86_64")]
        tracing("trace::notifications_show_the_same_uses", trace::notifications_show_the_same_uses),
        #[cfg(target_env = "gnu")]
        tracing("trace::what_the_loader_does_is_a_phase", trace::what_the_loader_does_is_a_phase),
        tracing("trace::script_without_interpreter_is_run_by_sh", trace::script_without_interpreter_is_run_by_sh),
        tracing("trace::durations_beyond_the_clock_never_end", trace::durations_beyond_the_clock_never_end),
        tracing("trace::ctrl_c_belongs_to_the_command", trace::ctrl_c_belongs_to_the_command),
        tracing("refused::objects_are_the_same_under_a_filter", refused::objects_are_the_same_under_a_filter),
        needing("refused::unreadable_process_is_a_blind_spot", refused::unreadable_process_is_a_blind_spot),
        needing("refused::new_blind_spot_fails_under_both_engines", refused::new_blind_spot_fails_under_both_engines),
        needing("refused::foreign_proc_is_refused_with_the_reason", refused::foreign_proc_is_refused_with_the_reason),
    ]
}
