//! The calls that block, judged: what they wait for, and what a thread makes of them.
//!
//! A name is here if the call waits for a disk, a network, another process or another thread, or
//! computes for long without holding the interpreter's lock. What only looks at text
//! (`os.path.join`), gives back something lazy (`pymongo.MongoClient`) or is done in no time
//! (`os.getcwd`, `os.kill`) is not.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    /// A server, by HTTP.
    Http,
    /// A server, by another protocol.
    Network,
    /// A name server.
    Dns,
    /// A database.
    Database,
    /// Another process.
    Process,
    /// The content of files, or many of them.
    Files,
    /// What a file system knows of one file: quick on a local disk, slow on others. It is
    /// reported where a coroutine asks, and not where it calls a function that does.
    Metadata,
    /// Another thread.
    Thread,
    /// A person.
    Console,
    /// A computation that lets other threads run.
    Cpu,
    /// Nothing: a pause.
    Pause,
    /// Whatever the project says.
    Project,
}

/// What becomes of the call in a worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InThread {
    /// The same, and the event loop is free meanwhile.
    Whole,
    /// It only opens a file or a connection, on which everything else blocks as well: a `with`
    /// block on it moves as a whole.
    Opens,
    /// What it gives blocks later. A function that does all of it may move.
    Later,
    /// It must not: the object belongs to its thread, or nothing can end the thread.
    Never,
}

/// Calls of which the same is to be said.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) category: Category,
    pub(super) in_thread: InThread,
    /// Where it is not moved: why, and after a colon what to do instead.
    pub(super) advice: &'static str,
    /// Dotted names, as the documentation has them; those of methods with their class.
    pub(super) names: &'static [&'static str],
}

/// What the project names in `extend`.
pub(super) static EXTENDED: Group = Group {
    category: Category::Project,
    in_thread: InThread::Whole,
    advice: "",
    names: &[],
};

/// What the project may name in `extend`, and a thread does not make better: it holds the
/// interpreter's lock.
pub(super) static HOLDS_LOCK: Group = Group {
    category: Category::Cpu,
    in_thread: InThread::Never,
    advice: "it is pure computation, which stalls the event loop from a thread as well: give it less to do at once, or run it in another process",
    names: &[
        "copy.deepcopy",
        "json.dump",
        "json.dumps",
        "json.load",
        "json.loads",
        "pickle.dumps",
        "pickle.loads",
        "re.compile",
        "re.findall",
        "re.fullmatch",
        "re.match",
        "re.search",
        "re.sub",
        "yaml.dump",
        "yaml.load",
        "yaml.safe_dump",
        "yaml.safe_load",
    ],
};

const USE_A_FUNCTION: &str = "put it and what uses the result into one plain function, and run that in a thread, or use an asynchronous library";

pub(super) static TABLE: &[Group] = &[
    Group {
        category: Category::Http,
        in_thread: InThread::Whole,
        advice: "",
        names: &[
            "httpx.Client.delete",
            "httpx.Client.get",
            "httpx.Client.head",
            "httpx.Client.options",
            "httpx.Client.patch",
            "httpx.Client.post",
            "httpx.Client.put",
            "httpx.Client.request",
            "httpx.Client.send",
            "httpx.delete",
            "httpx.get",
            "httpx.head",
            "httpx.options",
            "httpx.patch",
            "httpx.post",
            "httpx.put",
            "httpx.request",
            "requests.Session.delete",
            "requests.Session.get",
            "requests.Session.head",
            "requests.Session.options",
            "requests.Session.patch",
            "requests.Session.post",
            "requests.Session.put",
            "requests.Session.request",
            "requests.Session.send",
            "requests.delete",
            "requests.get",
            "requests.head",
            "requests.options",
            "requests.patch",
            "requests.post",
            "requests.put",
            "requests.request",
            "urllib.request.urlretrieve",
            "urllib3.HTTPConnectionPool.request",
            "urllib3.HTTPConnectionPool.urlopen",
            "urllib3.HTTPSConnectionPool.request",
            "urllib3.HTTPSConnectionPool.urlopen",
            "urllib3.PoolManager.request",
            "urllib3.PoolManager.urlopen",
            "urllib3.ProxyManager.request",
            "urllib3.ProxyManager.urlopen",
            "urllib3.request",
        ],
    },
    Group {
        category: Category::Http,
        in_thread: InThread::Later,
        advice: "only the headers are read here, and reading the body blocks later",
        names: &[
            "http.client.HTTPConnection.getresponse",
            "http.client.HTTPConnection.request",
            "httpx.Client.stream",
            "httpx.stream",
            "urllib.request.urlopen",
        ],
    },
    Group {
        category: Category::Network,
        in_thread: InThread::Opens,
        advice: "it only connects, and everything that follows on the connection blocks as well",
        names: &[
            "ftplib.FTP",
            "ftplib.FTP_TLS",
            "imaplib.IMAP4",
            "imaplib.IMAP4_SSL",
            "poplib.POP3",
            "poplib.POP3_SSL",
            "smtplib.SMTP",
            "smtplib.SMTP_SSL",
        ],
    },
    Group {
        category: Category::Network,
        in_thread: InThread::Later,
        advice: "everything that follows on the connection blocks as well",
        names: &[
            "boto3.client",
            "boto3.resource",
            "paramiko.SSHClient.connect",
            "paramiko.SSHClient.exec_command",
            "socket.create_connection",
            "socket.socket.accept",
            "socket.socket.connect",
            "socket.socket.connect_ex",
            "socket.socket.recv",
            "socket.socket.recv_into",
            "socket.socket.recvfrom",
            "socket.socket.recvfrom_into",
            "socket.socket.recvmsg",
            "socket.socket.send",
            "socket.socket.sendall",
            "socket.socket.sendto",
        ],
    },
    Group {
        category: Category::Dns,
        in_thread: InThread::Whole,
        advice: "",
        names: &[
            "socket.getaddrinfo",
            "socket.getfqdn",
            "socket.gethostbyaddr",
            "socket.gethostbyname",
            "socket.gethostbyname_ex",
            "socket.getnameinfo",
        ],
    },
    Group {
        category: Category::Database,
        in_thread: InThread::Never,
        advice: "what sqlite3 makes belongs to the thread that made it: use aiosqlite, or open, use and close the connection in one function that runs in a thread",
        names: &[
            "sqlite3.Connection.commit",
            "sqlite3.Connection.execute",
            "sqlite3.Connection.executemany",
            "sqlite3.Connection.executescript",
            "sqlite3.Connection.rollback",
            "sqlite3.Cursor.execute",
            "sqlite3.Cursor.executemany",
            "sqlite3.Cursor.executescript",
            "sqlite3.Cursor.fetchall",
            "sqlite3.Cursor.fetchmany",
            "sqlite3.Cursor.fetchone",
            "sqlite3.connect",
        ],
    },
    Group {
        category: Category::Database,
        in_thread: InThread::Later,
        advice: "every query on the connection blocks as well",
        names: &[
            "MySQLdb.connect",
            "mysql.connector.connect",
            "oracledb.connect",
            "psycopg.connect",
            "psycopg2.connect",
            "pymysql.connect",
        ],
    },
    Group {
        category: Category::Process,
        in_thread: InThread::Whole,
        advice: "",
        names: &[
            "os.spawnl",
            "os.spawnle",
            "os.spawnlp",
            "os.spawnlpe",
            "os.spawnv",
            "os.spawnve",
            "os.spawnvp",
            "os.spawnvpe",
            "os.system",
            "os.wait",
            "os.wait3",
            "os.wait4",
            "os.waitid",
            "os.waitpid",
            "subprocess.call",
            "subprocess.check_call",
            "subprocess.check_output",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "subprocess.run",
        ],
    },
    Group {
        category: Category::Process,
        in_thread: InThread::Later,
        advice: "starting the process takes no time, waiting for it and reading its output does: run `subprocess.run` in a thread, or use `asyncio.create_subprocess_exec`, whose interface is another one",
        names: &[
            "os.popen",
            "subprocess.Popen",
            "subprocess.Popen.communicate",
            "subprocess.Popen.wait",
        ],
    },
    Group {
        category: Category::Files,
        in_thread: InThread::Whole,
        advice: "",
        names: &[
            "glob.glob",
            "os.fdatasync",
            "os.fsync",
            "os.listdir",
            "os.sync",
            "os.truncate",
            "pathlib.Path.copy",
            "pathlib.Path.copy_into",
            "pathlib.Path.move",
            "pathlib.Path.move_into",
            "pathlib.Path.read_bytes",
            "pathlib.Path.read_text",
            "pathlib.Path.write_bytes",
            "pathlib.Path.write_text",
            "shutil.copy",
            "shutil.copy2",
            "shutil.copyfile",
            "shutil.copyfileobj",
            "shutil.copytree",
            "shutil.make_archive",
            "shutil.move",
            "shutil.rmtree",
            "shutil.unpack_archive",
            "ssl.SSLContext.load_cert_chain",
            "ssl.SSLContext.load_default_certs",
            "ssl.SSLContext.load_verify_locations",
            "ssl.SSLContext.set_default_verify_paths",
        ],
    },
    Group {
        category: Category::Files,
        in_thread: InThread::Opens,
        advice: "it only opens the file, and what takes longer is reading and writing it",
        names: &[
            "builtins.open",
            "bz2.open",
            "codecs.open",
            "gzip.open",
            "io.open",
            "io.open_code",
            "lzma.open",
            "pathlib.Path.open",
            "tarfile.open",
            "tempfile.NamedTemporaryFile",
            "tempfile.SpooledTemporaryFile",
            "tempfile.TemporaryFile",
            "zipfile.ZipFile",
        ],
    },
    Group {
        category: Category::Files,
        in_thread: InThread::Later,
        advice: "it reads the folder while it is iterated: make a list of it in a plain function, and run that in a thread",
        names: &[
            "glob.iglob",
            "os.fwalk",
            "os.scandir",
            "os.walk",
            "pathlib.Path.glob",
            "pathlib.Path.iterdir",
            "pathlib.Path.rglob",
            "pathlib.Path.walk",
        ],
    },
    Group {
        category: Category::Metadata,
        in_thread: InThread::Whole,
        advice: "",
        names: &[
            "os.access",
            "os.chmod",
            "os.chown",
            "os.link",
            "os.lstat",
            "os.makedirs",
            "os.mkdir",
            "os.path.exists",
            "os.path.getatime",
            "os.path.getctime",
            "os.path.getmtime",
            "os.path.getsize",
            "os.path.isdir",
            "os.path.isfile",
            "os.path.islink",
            "os.path.ismount",
            "os.path.lexists",
            "os.path.realpath",
            "os.path.samefile",
            "os.readlink",
            "os.remove",
            "os.removedirs",
            "os.rename",
            "os.renames",
            "os.replace",
            "os.rmdir",
            "os.stat",
            "os.statvfs",
            "os.symlink",
            "os.unlink",
            "os.utime",
            "pathlib.Path.chmod",
            "pathlib.Path.exists",
            "pathlib.Path.group",
            "pathlib.Path.hardlink_to",
            "pathlib.Path.is_block_device",
            "pathlib.Path.is_char_device",
            "pathlib.Path.is_dir",
            "pathlib.Path.is_fifo",
            "pathlib.Path.is_file",
            "pathlib.Path.is_junction",
            "pathlib.Path.is_mount",
            "pathlib.Path.is_socket",
            "pathlib.Path.is_symlink",
            "pathlib.Path.lchmod",
            "pathlib.Path.link_to",
            "pathlib.Path.lstat",
            "pathlib.Path.mkdir",
            "pathlib.Path.owner",
            "pathlib.Path.readlink",
            "pathlib.Path.rename",
            "pathlib.Path.replace",
            "pathlib.Path.resolve",
            "pathlib.Path.rmdir",
            "pathlib.Path.samefile",
            "pathlib.Path.stat",
            "pathlib.Path.symlink_to",
            "pathlib.Path.touch",
            "pathlib.Path.unlink",
            "shutil.chown",
            "shutil.copymode",
            "shutil.copystat",
            "shutil.disk_usage",
            "shutil.which",
            "tempfile.mkdtemp",
            "tempfile.mkstemp",
        ],
    },
    Group {
        category: Category::Thread,
        in_thread: InThread::Whole,
        advice: "",
        names: &["fcntl.flock", "fcntl.lockf", "threading.Thread.join"],
    },
    Group {
        category: Category::Thread,
        in_thread: InThread::Later,
        advice: "it waits for another thread: await `asyncio.wrap_future` of the future",
        names: &["concurrent.futures.Future.result"],
    },
    Group {
        category: Category::Thread,
        in_thread: InThread::Later,
        advice: "it waits for another thread: use what asyncio has in its place, and let the thread call `loop.call_soon_threadsafe`",
        names: &[
            "queue.LifoQueue.get",
            "queue.LifoQueue.put",
            "queue.PriorityQueue.get",
            "queue.PriorityQueue.put",
            "queue.Queue.get",
            "queue.Queue.join",
            "queue.Queue.put",
            "queue.SimpleQueue.get",
            "threading.Barrier.wait",
            "threading.Condition.wait",
            "threading.Condition.wait_for",
            "threading.Event.wait",
        ],
    },
    Group {
        category: Category::Thread,
        in_thread: InThread::Never,
        advice: "a lock that is taken in one thread cannot be held in another: use `asyncio.Lock`, or take and release it in one function that runs in a thread",
        names: &[
            "threading.Condition.acquire",
            "threading.Lock.acquire",
            "threading.RLock.acquire",
            "threading.Semaphore.acquire",
        ],
    },
    Group {
        category: Category::Console,
        in_thread: InThread::Never,
        advice: "nothing can end a thread that waits for input, not even the end of the program: read standard input by `loop.connect_read_pipe`, or ask before the event loop runs",
        names: &["builtins.input", "getpass.getpass"],
    },
    Group {
        category: Category::Cpu,
        in_thread: InThread::Whole,
        advice: "",
        names: &["hashlib.pbkdf2_hmac", "hashlib.scrypt"],
    },
    Group {
        category: Category::Pause,
        in_thread: InThread::Whole,
        advice: "",
        names: &["time.sleep"],
    },
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Group>> = LazyLock::new(|| {
    let names = |group: &'static Group| group.names.iter().map(move |name| (*name, group));
    TABLE.iter().flat_map(names).collect()
});

/// The classes whose methods the table names, by the name of the method.
static CLASSES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut classes: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
    for name in TABLE.iter().flat_map(|group| group.names) {
        if let Some((class, method)) = name.rsplit_once('.')
            && is_class(class)
        {
            classes.entry(method).or_default().push(class);
        }
    }
    classes
});

/// What the table says of a name.
pub(super) fn find(name: &str) -> Option<&'static Group> {
    BY_NAME.get(name).copied()
}

/// The classes that have a blocking method of this name.
pub(super) fn classes_with(method: &str) -> &'static [&'static str] {
    CLASSES.get(method).map_or(&[], Vec::as_slice)
}

/// Whether a dotted name is that of a class, by its spelling.
pub(super) fn is_class(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    last.starts_with(char::is_uppercase) || name == "socket.socket"
}

impl Group {
    /// Why the call is not moved, and what to do instead.
    pub(super) fn reason(&self) -> String {
        if self.advice.contains(": ") {
            self.advice.to_string()
        } else {
            format!("{}: {USE_A_FUNCTION}", self.advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_name() {
        let page = include_str!("README.md");
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let has = |line: &str, name: &str| {
            line.match_indices(name).any(|(at, _)| {
                !line[..at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part)
            })
        };
        let missing: Vec<&&str> = TABLE
            .iter()
            .flat_map(|group| group.names)
            .filter(|name| {
                let (module, last) = name.rsplit_once('.').unwrap_or(("", name));
                let start = format!("| `{module}` |");
                !page
                    .lines()
                    .any(|line| line.starts_with(&start) && has(line, last))
            })
            .collect();
        assert!(missing.is_empty(), "not in the page's table: {missing:?}");
    }

    #[test]
    fn a_name_stands_in_the_table_once() {
        let all: usize = TABLE.iter().map(|group| group.names.len()).sum();
        assert_eq!(all, BY_NAME.len());
    }
}
