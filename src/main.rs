//! popsync
fn main() {}
