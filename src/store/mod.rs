//! The shell that touches expectation files and proposals.
