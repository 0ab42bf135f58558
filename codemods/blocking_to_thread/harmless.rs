//! What names say of code that this module does not show.

pub(super) fn is_exception(name: &str) -> bool {
    name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Warning")
}

/// Whether a name belongs to asyncio, or a library like it, and so to the event loop's thread.
pub(super) fn is_of_loop(name: &str) -> bool {
    let is_type = name
        .rsplit('.')
        .next()
        .is_some_and(|last| is_exception(last) || last.starts_with("iscoroutine"));
    matches!(
        name.split('.').next(),
        Some("asyncio" | "trio" | "anyio" | "curio" | "uvloop")
    ) && !is_type
        || name == "contextvars.ContextVar.set"
}

/// Whether a name belongs to the main thread.
pub(super) fn is_of_main_thread(name: &str) -> bool {
    let is_known = matches!(name.split('.').next(), Some("signal" | "pygame"));
    is_known
        || is_of_toolkit(name)
        || matches!(
            name,
            "os.chdir" | "os.umask" | "threading.local" | "locale.setlocale"
        )
}

/// Whether a name belongs to a toolkit of user interfaces, whose objects live in one thread.
pub(super) fn is_of_toolkit(name: &str) -> bool {
    matches!(
        name.split('.').next(),
        Some(
            "PyQt5"
                | "PyQt6"
                | "PySide2"
                | "PySide6"
                | "customtkinter"
                | "gi"
                | "kivy"
                | "qtpy"
                | "textual"
                | "tkinter"
                | "wx"
        )
    )
}

/// Packages that compute, and know nothing of threads or of an event loop.
const HARMLESS_MODULES: &[&str] = &[
    "PIL",
    "_csv",
    "abc",
    "array",
    "ast",
    "base64",
    "binascii",
    "bisect",
    "builtins",
    "bz2",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "configparser",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email",
    "enum",
    "errno",
    "fnmatch",
    "fractions",
    "functools",
    "getpass",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "logging",
    "lzma",
    "marshal",
    "math",
    "mimetypes",
    "msgpack",
    "numbers",
    "numpy",
    "operator",
    "orjson",
    "os",
    "pandas",
    "pathlib",
    "pickle",
    "platform",
    "plistlib",
    "posixpath",
    "pprint",
    "random",
    "re",
    "reprlib",
    "requests",
    "secrets",
    "shlex",
    "shutil",
    "simplejson",
    "socket",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tarfile",
    "tempfile",
    "textwrap",
    "time",
    "token",
    "tokenize",
    "toml",
    "tomli",
    "tomli_w",
    "tomllib",
    "traceback",
    "types",
    "typing",
    "ujson",
    "unicodedata",
    "urllib",
    "uuid",
    "warnings",
    "xml",
    "yaml",
    "zipfile",
    "zlib",
    "zoneinfo",
];

pub(super) fn is_harmless(name: &str) -> bool {
    let package = name.split('.').next().unwrap_or_default();
    HARMLESS_MODULES.contains(&package)
}

/// `loguru.logger.info`, `app.constants.TEMPLATE.format`: a method of something imported that, by
/// its name, logs or is a constant.
pub(super) fn is_method_of_value(name: &str) -> bool {
    let Some((receiver, method)) = name.rsplit_once('.') else {
        return false;
    };
    let receiver = receiver.rsplit('.').next().unwrap_or_default();
    let is_constant =
        receiver.chars().any(char::is_alphabetic) && !receiver.chars().any(char::is_lowercase);
    LOGGING.contains(&method) && receiver.to_lowercase().contains("log")
        || READING.contains(&method) && is_constant
}

pub(super) const HARMLESS_BUILTINS: &[&str] = &[
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "complex",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "hex",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "memoryview",
    "min",
    "object",
    "oct",
    "ord",
    "pow",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "slice",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "zip",
];

/// Methods of an event loop and of what belongs to it.
pub(super) const LOOP_METHODS: &[&str] = &[
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "call_at",
    "call_later",
    "call_soon",
    "create_future",
    "create_task",
    "get_nowait",
    "put_nowait",
    "run_forever",
    "run_in_executor",
    "run_until_complete",
    "set_exception",
    "set_result",
    "start_soon",
];

pub(super) const LOGGING: &[&str] = &[
    "critical",
    "debug",
    "error",
    "exception",
    "info",
    "log",
    "warn",
    "warning",
];

/// Methods that only look at their receiver, or, of a file, do what the thread is there for, on
/// whatever object.
pub(super) const READING: &[&str] = &[
    "as_dict",
    "as_posix",
    "casefold",
    "copy",
    "count",
    "decode",
    "digest",
    "encode",
    "endswith",
    "find",
    "findall",
    "finditer",
    "format",
    "fullmatch",
    "get",
    "getvalue",
    "group",
    "groups",
    "hexdigest",
    "index",
    "is_absolute",
    "is_relative_to",
    "isalnum",
    "isalpha",
    "isdigit",
    "isoformat",
    "items",
    "join",
    "joinpath",
    "json",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "match",
    "model_dump",
    "model_dump_json",
    "partition",
    "raise_for_status",
    "read",
    "readline",
    "readlines",
    "relative_to",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "search",
    "split",
    "splitlines",
    "startswith",
    "strftime",
    "strip",
    "sub",
    "timestamp",
    "title",
    "to_dict",
    "to_json",
    "total_seconds",
    "upper",
    "values",
    "with_name",
    "with_stem",
    "with_suffix",
    "zfill",
];
