//! The shell that touches the kernel: it turns the kernel's words into stops, and obeys directives.
