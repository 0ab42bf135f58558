//! On macOS the linker has to be told that Python's own symbols come with the interpreter.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
