//! The ptrace state machine without ptrace.
