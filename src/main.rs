//! The program: parses the command line, runs it, turns the result into an exit code.

fn main() {}
