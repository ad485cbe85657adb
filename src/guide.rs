//! The guide: what to do, page by page.
//!
//! Start with [getting started](getting_started). Each page begins with what it helps you do.
//!
//! | page | what it is for |
//! |---|---|
//! | [`getting_started`] | the first ten minutes |
//! | [`expectation_file`] | every key of the file, and what a baseline holds |
//! | [`first_review`] | a failing pull request, for a first-time reviewer |
//! | [`reviewing`] | reading a failure, and deciding on it |
//! | [`ci`] | GitHub, GitLab, Jenkins; several machines and platforms |
//! | [`existing_tests`] | tracing the tests you have |
//! | [`library`] | closures, checks and phases |
//! | [`engines`] | how a workload is watched, and why the result is exact |
//! | [`performance`] | every figure, and how to repeat it |
//! | [`evidence`] | reports for an assessor |
//! | [`profiling`] | where a program spends its time |
//! | [`explore`] | what error paths do: injected errors |
//! | [`reach`] | which syscalls a program could make at all |
//! | [`enforce`] | a seccomp profile from a baseline |
//! | [`kernel_guide`] | the perf steps of the kernel's guide, compared with perf |
//! | [`limits`] | what a verdict does not cover |
//! | [`troubleshooting`] | messages and what to do |
//! | [`recipes`] | documents for common kinds of program |

macro_rules! pages {
    ($($page:ident),+ $(,)?) => {
        $(
            pub mod $page {
                #![doc = include_str!(concat!("guide/", stringify!($page), ".md"))]
            }
        )+
    };
}

pages!(
    getting_started,
    expectation_file,
    first_review,
    reviewing,
    ci,
    existing_tests,
    library,
    engines,
    performance,
    evidence,
    profiling,
    reach,
    explore,
    enforce,
    kernel_guide,
    limits,
    troubleshooting,
    recipes,
);
