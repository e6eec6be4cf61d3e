//! The front door: hudsucker's listener with our handler.
