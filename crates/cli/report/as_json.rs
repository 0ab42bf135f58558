//! How values become JSON, for every format that is JSON.

use std::io::{self, Write};

use serde::Serialize;

/// Writes one value, indented, with a line ending behind it.
pub fn whole(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

/// Writes each value on a line of its own.
pub fn lines<T: Serialize>(
    values: impl IntoIterator<Item = T>,
    out: &mut impl Write,
) -> io::Result<()> {
    for value in values {
        serde_json::to_writer(&mut *out, &value).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}
