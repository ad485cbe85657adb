//! What the user asked for in the environment: as given → as meant.
