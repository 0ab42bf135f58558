from collections.abc import Sequence
from typing import Any, overload

import pyarrow as pa

__version__: str

@overload
def fix_batch(
    batch: pa.RecordBatch,
    *,
    select: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] | None = None,
    unsafe_fixes: bool = False,
    safe_only: bool = False,
    target_version: str | None = None,
    config: str | Sequence[str] | None = None,
    path_column: str | None = "path",
    source_column: str = "source",
    threads: int = 1,
) -> pa.RecordBatch: ...
@overload
def fix_batch(
    batch: Any,
    *,
    select: str | Sequence[str] | None = None,
    ignore: str | Sequence[str] | None = None,
    unsafe_fixes: bool = False,
    safe_only: bool = False,
    target_version: str | None = None,
    config: str | Sequence[str] | None = None,
    path_column: str | None = "path",
    source_column: str = "source",
    threads: int = 1,
) -> pa.Table:
    """Rewrites the Python sources in `batch`, each for itself, as `asyncfix --fix` does it in files.

    `batch` is a `pyarrow.RecordBatch`, a `pyarrow.Table`, or whatever else has Arrow's PyCapsule interface. A batch
    gives a batch, a stream of them (as a table is one) gives a table; rows keep their order. The columns that come out:

    - those of paths (none if `path_column` is None) and of sources, under their names and of their types: a source that
      is bytes is taken as it stands in a file, with its encoding and byte order mark, and a string as what it says;
    - `changed`: whether the source is another one now;
    - `found`, `fixed`, `withheld`: how many findings the source had, how many fixes were applied, and how many of the
      findings have none;
    - `findings`: a list of structs of `codemod`, `message`, `severity`, `applicability` (null without a fix), `withheld` (the reason,
      or null), `cell` (of a notebook), `row`, `column`, `end_row` and `end_column` (one-based, in characters, in the source
      as it was given);
    - `error`: why the source could not be analysed, or null. Such a source comes out as it was.

    `select` and `ignore` name codemods (and the groups "modernise" and "all"), `config` holds settings as the command's --config takes
    them ("line-length = 100"). Nothing is read from the disk: no configuration, no other files, no types. `threads`
    is how many threads work, 0 one for each core. The GIL is released meanwhile.

    Raises ValueError where an option or a column is wrong; nothing in a row raises.
    """
