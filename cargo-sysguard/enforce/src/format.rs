//! Writes a policy in the formats that programs read. Main type: [`Format`].
