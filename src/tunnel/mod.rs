//! One tunnel from the 200 to its close.
