//! One signal that everyone waits for.
