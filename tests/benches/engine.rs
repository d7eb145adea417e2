//! Figures of the engine.

fn main() {}
