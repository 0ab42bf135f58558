//! The program `asyncfix`.

use std::process::ExitCode;

/// A syntax tree is made of many small pieces, which the system's allocator takes long over. Without
/// huge pages (`no_thp`): with them a run holds a sixth more memory, and is no faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
