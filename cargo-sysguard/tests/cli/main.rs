//! Tests of the subcommand and the harness with real cargo projects: exit codes, output and files.
//!
//! A trial that needs tracing is ignored, with its reason, where tracing is impossible. Under
//! SYSGUARD_REQUIRE=1 it fails there.

/// Returns trials that are named after their functions.
///
/// Each entry is a kind (a constructor in `project`), its arguments if any, and a function. With
/// `trials![MODULE: …]` the functions are in scope, and MODULE only begins their names.
#[cfg(target_os = "linux")]
macro_rules! trials {
    ($module:ident: $($(#[$attribute:meta])* $kind:ident $(($($argument:expr),+))? $function:ident),+ $(,)?) => {
        vec![$(
            $(#[$attribute])*
            $kind(concat!(stringify!($module), "::", stringify!($function)), $($($argument,)+)? $function),
        )+]
    };
    ($($(#[$attribute:meta])* $kind:ident $(($($argument:expr),+))? $module:ident::$function:ident),+ $(,)?) => {
        vec![$(
            $(#[$attribute])*
            $kind(concat!(stringify!($module), "::", stringify!($function)), $($($argument,)+)? $module::$function),
        )+]
    };
}

#[cfg(target_os = "linux")]
mod bless;
#[cfg(target_os = "linux")]
mod checks;
#[cfg(target_os = "linux")]
mod closing;
#[cfg(target_os = "linux")]
mod closures;
#[cfg(target_os = "linux")]
mod crashes;
#[cfg(target_os = "linux")]
mod diff;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod enforce;
#[cfg(target_os = "linux")]
mod enforce_phases;
#[cfg(target_os = "linux")]
mod explain;
#[cfg(target_os = "linux")]
mod explore;
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
mod log;
#[cfg(target_os = "linux")]
mod mutations;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod pending;
#[cfg(target_os = "linux")]
mod places;
#[cfg(target_os = "linux")]
mod profile;
#[cfg(target_os = "linux")]
mod profile_ends;
#[cfg(target_os = "linux")]
mod profile_orphans;
#[cfg(target_os = "linux")]
mod project;
#[cfg(target_os = "linux")]
mod proofs;
#[cfg(target_os = "linux")]
mod pull_request;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod reach;
#[cfg(target_os = "linux")]
mod readme;
#[cfg(target_os = "linux")]
mod refused;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod review;
#[cfg(target_os = "linux")]
mod review_causes;
#[cfg(target_os = "linux")]
mod review_screen;
#[cfg(target_os = "linux")]
mod rights;
#[cfg(target_os = "linux")]
mod rules;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod run_layout;
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
mod sites;
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
mod versions;
mod worked;

#[cfg(target_os = "linux")]
use project::{needing, networked, nextest, tracing, tracing_with, untraced};

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
    let others = crashes::trials()
        .into_iter()
        .chain(ends::trials())
        .chain(enforce::trials())
        .chain(enforce_phases::trials())
        .chain(explore::trials())
        .chain(left::trials())
        .chain(run::trials())
        .chain(closures::trials())
        .chain(checks::trials());
    let others = others
        .chain(hooks::trials())
        .chain(names::trials())
        .chain(profile_ends::trials())
        .chain(profile_orphans::trials())
        .chain(proofs::trials())
        .chain(signals::trials())
        .chain(sites::trials())
        .chain(places::trials())
        .chain(streams::trials())
        .chain(together::trials())
        .chain(worked::trials())
        .chain(init::trials())
        .chain(readme::trials())
        .chain(closing::trials())
        .chain(run_names::trials())
        .chain(run_layout::trials())
        .chain(run_shared::trials())
        .chain(run_slots::trials())
        .chain(run_transparent::trials());
    commands.chain(others).collect()
}

/// Trials that run and bless workloads.
#[cfg(target_os = "linux")]
fn of_workloads() -> Vec<Trial> {
    trials![
        untraced usage::cargo_finds_the_subcommand_and_its_help,
        untraced usage::wrong_usage_is_2_and_writes_nothing,
        untraced usage::bad_variable_is_named,
        untraced usage::missing_workloads_are_a_warning,
        untraced list::names_of_malformed_files_are_listed,
        untraced list::packages_are_selected_as_by_cargo,
        untraced harness::listing_runs_nothing,
        nextest harness::nextest_lists_and_runs_workloads,
        tracing harness::filters_and_exit_codes_match_libtest,
        nextest harness::nextest_skips_workloads_without_their_program,
        tracing harness::ignored_workloads_print_their_reasons,
        tracing bless::second_bless_changes_no_byte,
        tracing bless::failure_does_not_stop_other_workloads,
        tracing bless::new_fact_only_adds_lines,
        #[cfg(target_arch = "x86_64")]
        tracing bless::notify_engine_records_the_same_bytes,
        tracing test::new_subsystem_fails_and_is_proposed,
        tracing test::diff_tool_shows_the_change,
        tracing test::package_without_harness_behaves_the_same,
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        tracing test::changed_dependency_is_named,
        tracing test::each_status_has_its_exit_code,
        tracing test::uncompilable_target_is_3,
        tracing test::endless_durations_are_accepted,
        tracing test::timeout_fails_without_a_proposal,
        tracing test::findings_without_writable_proposal_are_reported,
        tracing rules::broken_rule_shows_the_call_that_broke_it,
        tracing rules::tolerated_path_is_no_finding,
        tracing stable::unconfirmed_finding_is_a_suspect,
        tracing stable::only_confirmed_findings_fail_and_are_proposed,
        tracing stable::harness_confirms_as_configured,
        tracing stable::new_subsystems_and_forbidden_calls_fail_at_once,
        tracing stable::wrong_exit_of_a_confirming_run_fails,
        tracing stable::recording_continues_until_no_run_adds_anything,
        tracing stable::recording_that_never_settles_is_reported,
        tracing stable::one_cpu_is_too_few_to_record,
        tracing stable::drift_is_reported_with_new_findings,
        tracing versions::bless_upgrades_and_keeps_reasons,
        tracing versions::forced_run_upgrades_tests,
        tracing mutations::both_engines_find_each_mutation,
        networked mutations::both_engines_find_each_argument_and_crash,
    ]
}

/// Trials that settle proposals.
#[cfg(target_os = "linux")]
fn of_proposals() -> Vec<Trial> {
    trials![
        untraced pending::own_name_beats_the_short_name_of_a_test,
        untraced pending::printed_keys_are_accepted,
        untraced pending::accepted_syscall_includes_only_its_details,
        untraced pending::remarks_are_shown_but_never_accepted,
        untraced pending::read_only_tree_is_one_error_without_loss,
        untraced pending::unwritable_proposal_is_an_error,
        untraced pending::rejected_findings_are_not_remembered,
        untraced pending::unmatched_key_is_2_and_writes_nothing,
        untraced pending::unfitting_proposal_is_one_error,
        untraced pending::printed_key_beats_workload_of_that_name,
        untraced pending::proposals_may_be_in_another_directory,
        untraced pending::orphans_are_handled_as_requested,
        tracing pending::proposals_of_a_test_can_be_settled,
        tracing pull_request::finding_is_reviewed_accepted_and_merged,
        untraced review::each_key_writes_the_expected_bytes,
        untraced review::diff_tool_gets_the_terminal,
        untraced review::capital_keys_apply_to_the_whole_workload,
        untraced review::one_reason_applies_to_the_whole_workload,
        untraced review::every_exit_restores_the_terminal,
        needing review::ctrl_z_suspends_and_resumes,
        untraced review::call_site_of_a_finding_is_shown,
        untraced review::read_only_tree_ends_review_without_loss,
        untraced review::commands_are_printed_without_a_terminal,
        untraced review_screen::key_stays_on_the_screen,
        untraced review_screen::stack_is_shown_by_screen,
        untraced review::undo_restores_each_decision,
        untraced review::editor_opens_at_the_line,
        untraced review_causes::findings_are_ordered_by_cause,
        untraced review_causes::key_and_cause_stay_on_the_screen,
        untraced review_causes::accepted_cause_equals_accept_and_is_undone,
        untraced review_causes::rejected_cause_equals_reject_and_is_undone,
        untraced review_causes::undo_of_a_cause_restores_all_files_or_none,
        untraced review_causes::decided_and_skipped_findings_count_once,
    ]
}

/// Trials of commands that read, compare and report.
#[cfg(target_os = "linux")]
fn of_readings() -> Vec<Trial> {
    trials![
        untraced diff::revision_is_compared_with_the_working_tree,
        untraced diff::unknown_revision_is_2,
        untraced diff::malformed_file_warns_before_and_fails_now,
        tracing diff::both_revisions_are_traced_without_a_baseline,
        tracing diff::untraced_workloads_are_counted,
        tracing diff::killed_diff_trace_leaves_nothing,
        untraced explain::name_is_explained_with_its_users,
        untraced explain::unknown_name_is_2_with_suggestions,
        untraced explain::works_without_project_and_with_malformed_files,
        needing explain::kernel_tree_replaces_the_tables,
        untraced report::every_format_is_reproducible,
        untraced report::taxonomy_is_named_and_its_errors_located,
        tracing report::trace_uses_the_requested_taxonomy,
        untraced report::rule_on_unknown_syscall_is_malformed,
        untraced list::json_lists_the_same_workloads,
        tracing formats::machine_formats_own_standard_output,
        tracing formats::github_gets_annotations_and_a_summary,
        tracing formats::junit_has_every_selected_workload,
        tracing formats::sarif_points_to_the_source_and_the_expectation,
        tracing formats::every_format_shows_the_first_call,
        tracing formats::first_call_is_no_part_of_a_baseline,
        tracing formats::first_proposal_shows_a_call_for_each_key,
        tracing formats::output_file_is_checked_before_anything_runs,
        tracing formats::bless_reports_what_it_wrote,
        tracing_with(&["perl"]) trace::sections_follow_the_reached_objects,
        tracing trace::exit_code_is_that_of_the_command,
        untraced trace::own_failures_have_distinct_exit_codes,
        tracing trace::command_keeps_its_streams,
        tracing trace::engine_variable_is_obeyed_or_reported,
        #[cfg(target_arch = "x86_64")]
        tracing trace::notify_engine_shows_the_same_uses,
        tracing trace::only_selects_stacks_by_call_and_subsystem,
        #[cfg(target_env = "gnu")]
        tracing trace::loader_calls_are_a_phase,
        tracing trace::script_without_interpreter_is_run_by_sh,
        tracing trace::durations_beyond_the_clock_never_end,
        tracing trace::ctrl_c_goes_to_the_command,
        needing profile::exit_code_is_that_of_the_command,
        untraced profile::own_failures_have_distinct_exit_codes,
        needing profile::ordinary_user_gets_a_profile_or_a_remedy,
        needing profile::command_runs_once_for_samples_and_once_for_counts,
        needing profile::each_format_is_written,
        needing profile::time_goes_to_the_calls_that_are_made,
        needing profile::hot_instructions_are_shown_with_their_lines,
        needing profile::functions_of_one_name_are_not_mixed_up,
        needing profile::kernel_function_is_shown_or_refused_with_the_reason,
        needing profile::saved_profile_is_in_the_html_report_only,
        needing profile::workloads_are_selected_by_name,
        #[cfg(target_arch = "x86_64")]
        untraced reach::calls_of_a_program_are_found_without_running_it,
        #[cfg(target_arch = "x86_64")]
        untraced reach::way_has_the_lines_of_the_source,
        #[cfg(target_arch = "x86_64")]
        untraced reach::forbidden_call_fails_if_it_is_reachable,
        #[cfg(target_arch = "x86_64")]
        untraced reach::unknown_number_denies_an_upper_bound,
        #[cfg(target_arch = "x86_64")]
        tracing reach::run_marks_observed_calls,
        #[cfg(target_arch = "x86_64")]
        untraced reach::libraries_are_analysed_too,
        #[cfg(target_arch = "x86_64")]
        untraced reach::bad_input_is_one_error,
        #[cfg(target_arch = "x86_64")]
        untraced reach::special_files_are_refused,
        #[cfg(target_arch = "x86_64")]
        untraced reach::explanation_shows_the_way_in_a_program,
        #[cfg(target_arch = "x86_64")]
        tracing reach::saved_result_is_in_the_report_until_it_is_stale,
        #[cfg(target_arch = "x86_64")]
        untraced reach::binary_of_the_package_is_built,
        tracing log::lines_show_calls_results_and_ends,
        tracing log::payload_and_environment_are_never_shown,
        tracing_with(&["strace"]) log::log_agrees_with_strace,
        tracing_with(&["python3"]) log::threads_and_children_have_lines_of_their_own,
        tracing_with(&["perl"]) log::filters_choose_lines,
        untraced log::wrong_filters_and_combinations_are_2,
        tracing log::unwritable_log_is_one_error,
        tracing log::log_ends_quietly_with_its_reader,
        tracing log::hanging_call_is_shown_while_it_hangs,
        tracing log::times_of_calls_are_a_column,
        tracing refused::objects_are_the_same_under_a_filter,
        needing refused::process_with_restored_ids_is_queried,
        needing refused::undumpable_process_is_queried_without_privileges,
        needing refused::new_blind_spot_fails_under_both_engines,
        needing refused::foreign_proc_is_refused_with_the_reason,
        needing rights::ordinary_user_gets_user_code_and_totals,
        needing rights::filter_of_a_container_is_named,
        needing rights::doctor_lists_rights_and_tools,
    ]
}
