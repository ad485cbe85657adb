//! Words and colours.
