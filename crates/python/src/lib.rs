//! Meaning in one file: the only crate that names ruff's parser. Knows no codemod.

pub use ruff_python_ast as ast;
