//! `asyncfix.fix_batch` for Python: a table of sources in, the same sources rewritten out.
//!
//! Arrow's columns are turned into rows and back here (`columns.rs`), and nothing else: what becomes of
//! a row is said by [`cli::batch`], as the program says it of a file.

mod columns;

use arrow_array::RecordBatch;
use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_pyarrow::{FromPyArrow, IntoPyArrow, Table, ToPyArrow};
use cli::batch::{Batch, Options};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use columns::Columns;

/// One name, or several.
#[derive(FromPyObject)]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    fn listed(names: Option<Self>) -> Vec<String> {
        match names {
            None => Vec::new(),
            Some(Self::One(name)) => vec![name],
            Some(Self::Several(names)) => names,
        }
    }
}

/// Rewrites the Python sources in a table, as `asyncfix --fix` does it with files.
#[pymodule]
mod _native {
    use super::{
        Batch, Bound, Columns, FromPyArrow, IntoPyArrow, Names, Options, PyAny, PyAnyMethods,
        PyResult, PyValueError, Python, RecordBatch, RecordBatchReader, RecordBatchStreamReader,
        Table, ToPyArrow, fixed, pyfunction,
    };
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Rewrites the Python sources in `batch`, each for itself.
    ///
    /// `batch` is a `pyarrow.RecordBatch` or `pyarrow.Table`, or whatever else has Arrow's `PyCapsule`
    /// interface. The stub beside the module, and docs/batch.md, say what the columns are.
    #[pyfunction]
    #[pyo3(signature = (
        batch, *, select=None, ignore=None, unsafe_fixes=false, safe_only=false,
        target_version=None, config=None, path_column="path", source_column="source", threads=1
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are named in Python")]
    fn fix_batch<'py>(
        py: Python<'py>,
        batch: &Bound<'py, PyAny>,
        select: Option<Names>,
        ignore: Option<Names>,
        unsafe_fixes: bool,
        safe_only: bool,
        target_version: Option<String>,
        config: Option<Names>,
        path_column: Option<&str>,
        source_column: &str,
        threads: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = Options {
            select: Names::listed(select),
            ignore: Names::listed(ignore),
            unsafe_fixes,
            safe_only,
            target_version,
            config: Names::listed(config),
            threads,
        };
        let fixer = Batch::new(&options).map_err(PyValueError::new_err)?;
        let columns = Columns {
            path: path_column,
            source: source_column,
        };
        if batch.hasattr("__arrow_c_array__")? {
            let batch = RecordBatch::from_pyarrow_bound(batch)?;
            return fixed(py, &fixer, columns, &batch)?.to_pyarrow(py);
        }
        let reader = RecordBatchStreamReader::from_pyarrow_bound(batch)?;
        let schema = columns
            .schema(&reader.schema())
            .map_err(PyValueError::new_err)?;
        let mut done = Vec::new();
        for batch in reader {
            let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
            done.push(fixed(py, &fixer, columns, &batch)?);
        }
        let table = Table::try_new(done, schema);
        let table = table.map_err(|error| PyValueError::new_err(error.to_string()))?;
        table.into_pyarrow(py)
    }
}

/// The rows of `batch`, rewritten while other threads of Python run.
fn fixed(
    py: Python<'_>,
    fixer: &Batch,
    columns: Columns<'_>,
    batch: &RecordBatch,
) -> PyResult<RecordBatch> {
    py.detach(|| columns.fixed(fixer, batch))
        .map_err(PyValueError::new_err)
}
