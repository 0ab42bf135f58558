//! From a file's bytes to text, and back: byte order mark, PEP 263 cookies, encodings.
//!
//! One rule decides: the text, encoded again, gives the same bytes, else the file is left alone.

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use edit::{Edit, hunks};
use encoding_rs::Encoding as Codec;
use python::ast::PythonVersion;
use python::{NoNotebook, Notebook, Written};

/// A file's text and how it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Without the byte order mark.
    pub text: String,
    /// How the text stands in the file.
    pub encoding: Encoding,
    /// Whether the file starts with the byte order mark of UTF-8.
    pub bom: bool,
    /// The notebook whose text this is.
    pub notebook: Option<NotebookFile>,
}

/// A notebook, and the text of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotebookFile {
    json: String,
    pub notebook: Notebook,
}

/// The text of a file, as its lines are counted by all but Python.
pub enum FileText<'a> {
    /// That which is analysed.
    Plain(&'a str),
    /// JSON.
    Notebook(Written),
}

/// How text stands in a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The default of Python.
    Utf8,
    /// Bytes from 0x80 are no text.
    Ascii,
    /// The byte n is U+00n. What the web calls latin-1 is windows-1252, and differs.
    Latin1,
    /// Any other that has ASCII as a subset.
    Other(&'static Codec),
}

/// Why bytes are not Python text, or text cannot be written as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong and what to do about it.
    pub message: String,
    /// One-based, where it is one line that is wrong.
    pub row: Option<usize>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Source {
    /// Decodes a file as CPython does.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let bom = bytes.starts_with(BOM);
        let encoding = declared(&bytes)?;
        if let Some(offset) = memchr::memchr(0, &bytes) {
            return Err(Unreadable {
                message: format!("holds a NUL byte (offset {offset}), which Python refuses"),
                row: Some(row_of(&bytes, offset)),
            });
        }
        let start = if bom { BOM.len() } else { 0 };
        let text = encoding.decode(bytes, start)?;
        Ok(Self {
            text,
            encoding,
            bom,
            notebook: None,
        })
    }

    /// The bytes of a file that an editor has read: its text, in the encoding that it declares.
    pub fn bytes_of(text: &str) -> Result<Vec<u8>, Unreadable> {
        let encoding = declared(text.as_bytes())?;
        let (mark, body) = match text.strip_prefix('\u{feff}') {
            Some(body) => (BOM, body),
            None => (&[][..], text),
        };
        let Some(body) = encoding.encode(body) else {
            return Err(Unreadable {
                message: format!("holds what cannot be written as {encoding}"),
                row: None,
            });
        };
        Ok([mark, &body].concat())
    }

    /// Whether a file can be decoded, found out without making its text where that can be.
    pub fn check(bytes: &[u8]) -> Result<(), Unreadable> {
        let is_sound = match declared(bytes)? {
            Encoding::Utf8 => simdutf8::basic::from_utf8(bytes).is_ok(),
            Encoding::Ascii => bytes.is_ascii(),
            Encoding::Latin1 => true,
            Encoding::Other(_) => false, // nobody knows yet
        };
        if is_sound && memchr::memchr(0, bytes).is_none() {
            return Ok(());
        }
        Self::decode(bytes.to_vec()).map(|_| ())
    }

    /// Decodes a notebook, whose text is that of its cells; none where it is for another language.
    pub fn decode_notebook(
        bytes: Vec<u8>,
        version: PythonVersion,
    ) -> Result<Option<Self>, Unreadable> {
        let file = Self::decode(bytes)?;
        match Notebook::read(&file.text, version) {
            Ok(None) => Ok(None),
            Ok(Some(notebook)) => Ok(Some(Self {
                text: notebook.text(),
                notebook: Some(NotebookFile {
                    json: file.text,
                    notebook,
                }),
                ..file
            })),
            Err(NoNotebook { message, row }) => Err(Unreadable {
                message: format!("cannot be read as a notebook: {message}"),
                row,
            }),
        }
    }

    /// What the file holds where `text` is what it is analysed as, without the byte order mark.
    pub fn file_text<'a>(&self, text: &'a str) -> Result<FileText<'a>, Unreadable> {
        let Some(NotebookFile { json, notebook }) = &self.notebook else {
            return Ok(FileText::Plain(text));
        };
        match notebook.write(json, text) {
            Ok(written) => Ok(FileText::Notebook(written)),
            Err(message) => Err(Unreadable { message, row: None }),
        }
    }

    /// Whether a notebook may use the name in a cell that is not part of the text.
    pub fn may_read(&self, name: &str) -> bool {
        let notebook = self.notebook.as_ref();
        notebook.is_some_and(|it| it.notebook.unread.contains(name))
    }

    /// What the file holds, as an editor has read it, where `text` is what it is analysed as.
    pub fn editor_text(&self, text: &str) -> Result<String, Unreadable> {
        let file = self.file_text(text)?;
        let mark = if self.bom { "\u{feff}" } else { "" };
        Ok([mark, file.as_str()].concat())
    }

    /// The bytes of `text`, written as this source was.
    pub fn encode(&self, text: &str) -> Result<Vec<u8>, Unreadable> {
        let file = self.file_text(text)?;
        let text = file.as_str();
        let mut bytes = if self.bom { BOM.to_vec() } else { Vec::new() };
        match self.encoding.encode(text) {
            Some(body) => bytes.extend_from_slice(&body),
            None => {
                return Err(Unreadable {
                    message: format!("the rewritten text cannot be written as {}", self.encoding),
                    row: None,
                });
            }
        }
        // A line that was added above the cookie may push it out of the first two.
        if declared(&bytes) != Ok(self.encoding) {
            return Err(Unreadable {
                message: format!(
                    "the rewritten text would no longer be read as {}",
                    self.encoding
                ),
                row: None,
            });
        }
        Ok(bytes)
    }

    /// How many bytes of the file `text`, a part of it, takes.
    pub fn encoded_len(&self, text: &str) -> usize {
        match self.encoding {
            Encoding::Utf8 | Encoding::Ascii => text.len(),
            Encoding::Latin1 => text.chars().count(),
            Encoding::Other(_) => self
                .encoding
                .encode(text)
                .map_or(text.len(), |bytes| bytes.len()),
        }
    }

    /// The length of what stands before the text, in bytes.
    pub fn text_start(&self) -> usize {
        if self.bom { BOM.len() } else { 0 }
    }
}

impl FileText<'_> {
    pub fn as_str(&self) -> &str {
        match self {
            FileText::Plain(text) => text,
            FileText::Notebook(Written { json, .. }) => json,
        }
    }

    /// Where in it the byte at `offset` of the analysed text stands.
    pub fn place(&self, offset: usize) -> usize {
        match self {
            FileText::Plain(_) => offset,
            FileText::Notebook(written) => written.place(offset),
        }
    }

    /// What makes `after` of it: whole lines, or, of a notebook, whose lines may be long, what
    /// differs in them.
    pub fn edits(&self, after: &Self) -> Vec<Edit> {
        let (FileText::Notebook(old), FileText::Notebook(new)) = (self, after) else {
            return edits(self.as_str(), after.as_str()).collect();
        };
        let pairs = old.values().zip(new.values());
        pairs
            .flat_map(|(range, other)| {
                let before = old.json.get(range.clone()).unwrap_or_default();
                let after = new.json.get(other).unwrap_or_default();
                edits(before, after).map(move |edit| {
                    let Edit { range: at, content } = without_shared(edit, before);
                    Edit::replace(range.start + at.start..range.start + at.end, content)
                })
            })
            .collect()
    }
}

fn edits(before: &str, after: &str) -> impl Iterator<Item = Edit> {
    let hunks = hunks(before, after).into_iter();
    hunks.map(|hunk| Edit::replace(hunk.range, hunk.content))
}

/// The edit without what it leaves alone at its end and at its beginning. The end first: a new line
/// stays whole.
fn without_shared(edit: Edit, text: &str) -> Edit {
    let Edit { range, content } = edit;
    let old = text.get(range.clone()).unwrap_or_default();
    let shared = |pair: &(char, char)| pair.0 == pair.1;
    let length = |pair: (char, char)| pair.0.len_utf8();
    let last = old.chars().rev().zip(content.chars().rev());
    let last: usize = last.take_while(shared).map(length).sum();
    let (old, content) = (&old[..old.len() - last], &content[..content.len() - last]);
    let first = old.chars().zip(content.chars());
    let first: usize = first.take_while(shared).map(length).sum();
    Edit::replace(
        range.start + first..range.end - last,
        content[first..].to_string(),
    )
}

impl Encoding {
    /// The text of `bytes` from `start` on.
    fn decode(self, mut bytes: Vec<u8>, start: usize) -> Result<String, Unreadable> {
        match self {
            Encoding::Utf8 => {
                if let Err(error) = simdutf8::compat::from_utf8(&bytes[start..]) {
                    let what = "declare the file's encoding in its first line, as in `# -*- coding: latin-1 -*-`, or save it as UTF-8";
                    return Err(undecodable(&bytes, start + error.valid_up_to(), self, what));
                }
                bytes.drain(..start);
                // Checked above: nothing is replaced.
                Ok(String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
            }
            Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(offset) => {
                    let what = "declare the file's real encoding in its first line";
                    Err(undecodable(&bytes, offset, self, what))
                }
                None => Encoding::Utf8.decode(bytes, start),
            },
            Encoding::Latin1 => Ok(bytes[start..]
                .iter()
                .map(|&byte| char::from(byte))
                .collect()),
            Encoding::Other(codec) => {
                let what =
                    "declare the file's real encoding in its first line, or save it as UTF-8";
                let Some(text) =
                    codec.decode_without_bom_handling_and_without_replacement(&bytes[start..])
                else {
                    let offset = start + valid_up_to(codec, &bytes[start..]);
                    return Err(undecodable(&bytes, offset, self, what));
                };
                let text = text.into_owned();
                if self.encode(&text).as_deref() == Some(&bytes[start..]) {
                    Ok(text)
                } else {
                    Err(Unreadable {
                        message: format!(
                            "does not survive being decoded as {self} and encoded again: save it \
                             as UTF-8"
                        ),
                        row: None,
                    })
                }
            }
        }
    }

    /// The bytes of `text`; none where a character has none.
    fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Encoding::Utf8 => Some(Cow::Borrowed(text.as_bytes())),
            Encoding::Ascii => text.is_ascii().then_some(Cow::Borrowed(text.as_bytes())),
            Encoding::Latin1 => text
                .chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
                .collect::<Option<Vec<u8>>>()
                .map(Cow::Owned),
            Encoding::Other(codec) => {
                let (bytes, used, lossy) = codec.encode(text);
                (!lossy && used == codec).then_some(bytes)
            }
        }
    }

    /// The encoding that Python knows under `name`.
    fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        // As CPython's tokenizer, which knows these with any suffix: `utf-8-unix`.
        let is = |prefix: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if is("utf-8") || matches!(name.as_str(), "utf8" | "u8" | "cp65001") {
            return Some(Encoding::Utf8);
        }
        if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") {
            return Some(Encoding::Latin1);
        }
        let label = match name.as_str() {
            "latin1" | "latin" | "l1" | "8859" | "cp819" | "iso8859" | "iso8859-1" => {
                return Some(Encoding::Latin1);
            }
            "ascii" | "us-ascii" | "646" | "ansi-x3.4-1968" | "iso646-us" => {
                return Some(Encoding::Ascii);
            }
            // Names that Python has and the web has not.
            "eucjp" | "ujis" => "euc-jp",
            "euckr" | "cp949" | "uhc" => "euc-kr",
            "cp932" | "s-jis" | "shiftjis" | "mskanji" => "shift-jis",
            "cp936" | "936" | "ms936" => "gbk",
            "gb18030-2000" => "gb18030",
            "cp950" | "950" => "big5",
            "cp874" => "windows-874",
            "mac-roman" | "macroman" | "macintosh" => "macintosh",
            "mac-cyrillic" | "maccyrillic" => "x-mac-cyrillic",
            "koi8-r" => "koi8-r",
            "koi8-u" => "koi8-u",
            "iso-8859-15" | "latin9" | "l9" => "iso-8859-15",
            other => other,
        };
        let codec = Codec::for_label_no_replacement(label.as_bytes())?;
        // UTF-16 does not have ASCII as a subset: Python cannot read a cookie in it either.
        codec
            .is_ascii_compatible()
            .then_some(if codec == encoding_rs::UTF_8 {
                Encoding::Utf8
            } else {
                Encoding::Other(codec)
            })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Ascii => "ASCII",
            Encoding::Latin1 => "latin-1",
            Encoding::Other(codec) => codec.name(),
        })
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Replaces the content of `buffer` with that of the file, and says what the file was then.
pub fn read_into(path: &Path, buffer: &mut Vec<u8>) -> io::Result<Metadata> {
    let mut options = File::options();
    options.read(true);
    // A pipe that took the file's place meanwhile would be waited for.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NONBLOCK);
    let mut file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other("it is larger than 2 GiB"));
    }
    // `read_to_end` would ask the system twice more: how long the file is, which is known, and
    // whether it ended. A file that grows meanwhile is noticed before it is written. What the buffer
    // held is not cleared first, only to be filled with zeros before it is read over.
    buffer.resize(usize::try_from(metadata.len()).unwrap_or(0), 0);
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(metadata)
}

#[cfg(unix)]
#[expect(
    clippy::cast_possible_wrap,
    reason = "it is one bit, and not the first"
)]
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// In bytes. The parser counts in 32 bits.
const LARGEST: u64 = 2 << 30;

/// The encoding that the first two lines declare; UTF-8 where they declare none.
fn declared(bytes: &[u8]) -> Result<Encoding, Unreadable> {
    let bom = bytes.starts_with(BOM);
    let bytes = if bom { &bytes[BOM.len()..] } else { bytes };
    let Some((name, row)) = cookie(bytes) else {
        return Ok(Encoding::Utf8);
    };
    let Some(encoding) = Encoding::named(name) else {
        return Err(Unreadable {
            message: format!("is declared to be {name}, which is not supported: save it as UTF-8"),
            row: Some(row),
        });
    };
    if bom && encoding != Encoding::Utf8 {
        return Err(Unreadable {
            message: format!(
                "starts with the byte order mark of UTF-8, but is declared to be {name}: remove \
                 one of the two"
            ),
            row: Some(row),
        });
    }
    Ok(encoding)
}

/// The name in a PEP 263 cookie, and the row of it.
fn cookie(bytes: &[u8]) -> Option<(&str, usize)> {
    let (first, rest) = split_line(bytes);
    if let Some(name) = cookie_in(first) {
        return Some((name, 1));
    }
    // The second line counts only if the first is empty or a comment.
    let start = first
        .iter()
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'\x0c'));
    if start.is_some_and(|&byte| byte != b'#') {
        return None;
    }
    cookie_in(split_line(rest).0).map(|name| (name, 2))
}

/// Matches `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`.
fn cookie_in(line: &[u8]) -> Option<&str> {
    let start = line
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\x0c'))?;
    if line[start] != b'#' {
        return None;
    }
    let mut rest = &line[start + 1..];
    loop {
        let found = rest.windows(6).position(|window| window == b"coding")?;
        rest = &rest[found + 6..];
        let Some((b':' | b'=', after)) = rest.split_first() else {
            continue;
        };
        let blank = after
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        let name = &after[blank..];
        let length = name
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            .count();
        if length > 0 {
            return std::str::from_utf8(&name[..length]).ok();
        }
    }
}

/// The first line without its end, and what follows.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(end) => {
            let crlf = bytes[end..].starts_with(b"\r\n");
            (&bytes[..end], &bytes[end + 1 + usize::from(crlf)..])
        }
        None => (bytes, &[]),
    }
}

fn undecodable(bytes: &[u8], offset: usize, encoding: Encoding, what: &str) -> Unreadable {
    let byte = bytes.get(offset).copied().unwrap_or_default();
    Unreadable {
        message: format!("byte 0x{byte:02x} at offset {offset} is not {encoding}: {what}"),
        row: Some(row_of(bytes, offset)),
    }
}

/// The one-based row of the byte at `offset`.
fn row_of(bytes: &[u8], offset: usize) -> usize {
    let mut rest = &bytes[..offset];
    let mut row = 1;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let crlf = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + 1 + usize::from(crlf)..];
        row += 1;
    }
    row
}

/// Where the first byte stands that `codec` has no character for.
fn valid_up_to(codec: &'static Codec, bytes: &[u8]) -> usize {
    let mut decoder = codec.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = String::with_capacity(room.unwrap_or(0));
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
        (encoding_rs::DecoderResult::Malformed(wrong, after), read) => {
            read.saturating_sub(usize::from(wrong) + usize::from(after))
        }
        (_, read) => read,
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Source, cookie, declared};

    fn decode(bytes: &[u8]) -> Result<Source, String> {
        Source::decode(bytes.to_vec()).map_err(|error| error.message)
    }

    #[test]
    fn cookies_are_found_where_python_finds_them() {
        for (bytes, found) in [
            (&b"# -*- coding: latin-1 -*-\n"[..], Some(("latin-1", 1))),
            (
                b"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n",
                Some(("koi8-r", 2)),
            ),
            (b"\n# coding: gbk\n", Some(("gbk", 2))),
            (b"\r\n\t# coding:\tgbk\r\n", Some(("gbk", 2))),
            (b"\r# coding: gbk\r", Some(("gbk", 2))),
            (b"# coding coding=euc_jp\n", Some(("euc_jp", 1))),
            (b"# a\n# b\n# coding: gbk\n", None),
            (b"x = 1\n# coding: gbk\n", None),
            (b"x = 1  # coding: gbk\n", None),
            (b"# coding : gbk\n", None),
            (b"# encoded: gbk\n", None),
            (b"", None),
        ] {
            assert_eq!(cookie(bytes), found, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn names_mean_what_they_mean_in_python() {
        let named = |name: &str| {
            declared(format!("# coding: {name}\n").as_bytes()).map_err(|error| error.message)
        };
        for name in ["utf-8", "UTF8", "utf_8", "utf-8-unix", "utf-8-sig", "U8"] {
            assert_eq!(named(name), Ok(Encoding::Utf8), "{name}");
        }
        for name in [
            "latin-1",
            "latin1",
            "iso-8859-1",
            "ISO_8859_1",
            "iso8859-1",
            "latin-1-dos",
            "L1",
        ] {
            assert_eq!(named(name), Ok(Encoding::Latin1), "{name}");
        }
        for name in ["ascii", "us-ascii", "US_ASCII"] {
            assert_eq!(named(name), Ok(Encoding::Ascii), "{name}");
        }
        for (name, codec) in [
            ("cp1252", encoding_rs::WINDOWS_1252),
            ("windows-1252", encoding_rs::WINDOWS_1252),
            ("iso-8859-15", encoding_rs::ISO_8859_15),
            ("iso8859-15", encoding_rs::ISO_8859_15),
            ("latin9", encoding_rs::ISO_8859_15),
            ("cp1251", encoding_rs::WINDOWS_1251),
            ("gbk", encoding_rs::GBK),
            ("gb2312", encoding_rs::GBK),
            ("GB18030", encoding_rs::GB18030),
            ("euc-jp", encoding_rs::EUC_JP),
            ("euc_jp", encoding_rs::EUC_JP),
            ("shift_jis", encoding_rs::SHIFT_JIS),
            ("sjis", encoding_rs::SHIFT_JIS),
            ("cp932", encoding_rs::SHIFT_JIS),
            ("koi8-r", encoding_rs::KOI8_R),
            ("koi8_u", encoding_rs::KOI8_U),
            ("big5", encoding_rs::BIG5),
            ("euc-kr", encoding_rs::EUC_KR),
            ("cp949", encoding_rs::EUC_KR),
        ] {
            assert_eq!(named(name), Ok(Encoding::Other(codec)), "{name}");
        }
        for name in [
            "utf-16",
            "utf-7",
            "iso-2022-jp",
            "rot13",
            "cp437",
            "klingon",
        ] {
            assert_eq!(
                named(name),
                Err(format!(
                    "is declared to be {name}, which is not supported: save it as UTF-8"
                ))
            );
        }
    }

    #[test]
    fn text_survives_the_way_there_and_back() {
        let mut every_byte = b"# coding: latin-1\n# ".to_vec();
        every_byte.extend(1..=255);
        for bytes in [
            &b""[..],
            b"\xef\xbb\xbfx = 1\r\n",
            b"\xef\xbb\xbf# coding: utf-8\n",
            "a = 'caf\u{e9} \u{1f600}'\r".as_bytes(),
            &every_byte,
            b"# coding: cp1252\n# \x80 \x93\n",
            b"# coding: iso-8859-15\n# \xa4\n",
            b"# coding: shift_jis\n# \x83\x5c \\\n",
            b"# coding: euc-jp\n# \xa4\xa2\n",
            b"# coding: gbk\n# \xc4\xe3\n",
            b"# coding: koi8-r\n# \xc1\n",
        ] {
            let source = decode(bytes).unwrap();
            assert_eq!(source.encode(&source.text).unwrap(), bytes);
            assert_eq!(
                source.text_start() + source.encoded_len(&source.text),
                bytes.len()
            );
        }
    }

    #[test]
    fn latin_1_is_not_what_the_web_takes_it_for() {
        let source = decode(b"# coding: latin-1\n\x80").unwrap();
        assert!(source.text.ends_with('\u{80}'));
        let source = decode(b"# coding: cp1252\n\x80").unwrap();
        assert!(source.text.ends_with('\u{20ac}'));
    }

    #[test]
    fn what_cannot_be_decoded_is_named_with_its_place() {
        let error = Source::decode(b"a = 1\r\nb = '\xe9'\n".to_vec()).unwrap_err();
        assert_eq!(error.row, Some(2));
        assert!(
            error
                .message
                .starts_with("byte 0xe9 at offset 12 is not UTF-8: ")
        );
        let error = Source::decode(b"# coding: ascii\nb = '\xe9'\n".to_vec()).unwrap_err();
        assert_eq!(error.row, Some(2));
        assert!(
            error
                .message
                .starts_with("byte 0xe9 at offset 21 is not ASCII: ")
        );
        let error = Source::decode(b"# coding: euc-jp\n\n\xff".to_vec()).unwrap_err();
        assert_eq!(error.row, Some(3));
        assert!(
            error
                .message
                .starts_with("byte 0xff at offset 18 is not EUC-JP: ")
        );
        let error = Source::decode(b"\xef\xbb\xbf\n\xe9".to_vec()).unwrap_err();
        assert!(error.message.contains("offset 4 "));
        let error = Source::decode(b"a\rb\0".to_vec()).unwrap_err();
        assert_eq!(error.row, Some(2));
        assert!(error.message.starts_with("holds a NUL byte (offset 3)"));
    }

    #[test]
    fn a_cookie_that_contradicts_the_mark_is_refused() {
        let error = decode(b"\xef\xbb\xbf# coding: latin-1\n").unwrap_err();
        assert!(error.contains("byte order mark of UTF-8, but is declared to be latin-1"));
    }

    #[test]
    fn what_does_not_survive_is_refused() {
        // Two byte sequences are this character, and only the other one is written.
        let error = decode(b"# coding: shift_jis\n# \x87\x90\n").unwrap_err();
        assert!(error.starts_with("does not survive being decoded as Shift_JIS"));
    }

    #[test]
    fn text_that_the_encoding_lacks_is_refused() {
        let source = decode(b"# coding: latin-1\n").unwrap();
        let error = source
            .encode("# coding: latin-1\n# \u{20ac}\n")
            .unwrap_err();
        assert_eq!(
            error.message,
            "the rewritten text cannot be written as latin-1"
        );
        let error = source
            .encode("import a\n\n# coding: latin-1\n")
            .unwrap_err();
        assert_eq!(
            error.message,
            "the rewritten text would no longer be read as latin-1"
        );
    }
}
