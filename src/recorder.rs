//! The tap of one connection: observer to assembler to store.
