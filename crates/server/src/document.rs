//! An open document: a text, or a notebook, whose cells are texts of their own.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lsp_types::{
    Diagnostic, NotebookCell, NotebookCellKind, TextDocumentContentChangeEvent, TextDocumentItem,
    Uri,
};

use crate::analyst::{Cell, CellKind, Content, IsOutdated, Look, Problem, Text};
use crate::position::{Encoding, Places};

/// What the client has open, as it is now.
#[derive(Debug)]
pub struct Document {
    pub uri: Uri,
    pub path: Option<PathBuf>,
    /// One of a text; of a notebook its cells, in their order.
    pub parts: Vec<Part>,
    is_notebook: bool,
    /// Texts of cells that are in no notebook at the moment, and are not closed.
    aside: Vec<Part>,
    /// Counts the texts of all documents: no two have the same.
    edition: u64,
    /// Which text this is, and what was around it: what was found about another is outdated, be it
    /// of the same document before it was closed and opened again.
    generation: Arc<AtomicU64>,
    /// What is known of the text as it is.
    pub known: Option<Result<Arc<Look>, Problem>>,
    /// What the client was last told of each part, or would be, by its URI.
    told: HashMap<String, (i32, Vec<Diagnostic>)>,
    /// Whether the client has asked for the diagnostics of a part.
    pub is_pulled: bool,
}

/// One text, which the client knows by its URI.
#[derive(Clone, Debug)]
pub struct Part {
    pub uri: Uri,
    /// The client's number for the text.
    pub version: i32,
    pub text: Arc<str>,
    language: String,
    kind: CellKind,
}

/// What the client is to be told.
#[derive(Debug)]
pub struct News {
    /// The number of the part; none of a cell that is in no notebook.
    pub part: Option<usize>,
    pub uri: Uri,
    /// None where it is closed.
    pub version: Option<i32>,
    pub diagnostics: Vec<Diagnostic>,
}

impl News {
    /// Of a text that is closed.
    pub fn nothing(uri: &Uri) -> Self {
        Self {
            part: None,
            uri: uri.clone(),
            version: None,
            diagnostics: Vec::new(),
        }
    }
}

impl Part {
    fn new(item: TextDocumentItem) -> Self {
        Self {
            version: item.version,
            text: item.text.into(),
            language: item.language_id.as_str().to_string(),
            kind: CellKind::Python,
            uri: item.uri,
        }
    }

    /// Changes the text, each change made to what those before it left.
    fn edit(
        &mut self,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        use TextDocumentContentChangeEvent::{
            TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument,
        };
        let mut text = self.text.to_string();
        for change in changes {
            match change {
                TextDocumentContentChangeWholeDocument(whole) => text = whole.text,
                TextDocumentContentChangePartial(part) => {
                    let bytes = Places::new(&text, encoding).bytes(part.range);
                    text.replace_range(bytes, &part.text);
                }
            }
        }
        self.text = text.into();
        self.version = version;
    }

    /// Takes it for a cell of this kind.
    fn set_kind(&mut self, kind: NotebookCellKind) {
        self.kind = match (kind, self.language.as_str()) {
            // As VS Code has it, raw cells hold code, of no language.
            (_, "raw") => CellKind::Raw,
            (NotebookCellKind::Code, "python") => CellKind::Python,
            (NotebookCellKind::Code, _) => CellKind::OtherCode,
            _ => CellKind::Markup,
        };
    }
}

impl Document {
    /// A text that is opened.
    pub fn new(path: Option<PathBuf>, item: TextDocumentItem) -> Self {
        let uri = item.uri.clone();
        Self::of(uri, path, vec![Part::new(item)], false)
    }

    /// A notebook that is opened.
    pub fn notebook(
        uri: Uri,
        path: Option<PathBuf>,
        cells: Vec<NotebookCell>,
        texts: Vec<TextDocumentItem>,
    ) -> Self {
        let mut document = Self::of(uri, path, Vec::new(), true);
        document.arrange(0, 0, cells, texts, &[]);
        document
    }

    fn of(uri: Uri, path: Option<PathBuf>, parts: Vec<Part>, is_notebook: bool) -> Self {
        Self {
            uri,
            path,
            parts,
            is_notebook,
            aside: Vec::new(),
            edition: next_number(),
            generation: Arc::new(AtomicU64::new(next_number())),
            known: None,
            told: HashMap::new(),
            is_pulled: false,
        }
    }

    /// Changes the text of a part; none such is an error.
    pub fn edit(
        &mut self,
        uri: &str,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Result<(), String> {
        let mut parts = self.parts.iter_mut().chain(&mut self.aside);
        let part = parts.find(|part| part.uri.0 == uri);
        let part = part.ok_or_else(|| format!("`{uri}` is not open"))?;
        part.edit(version, changes, encoding);
        self.changed();
        Ok(())
    }

    /// Puts `cells` in the place of `deleted` ones from `start` on. Texts are opened and closed with
    /// that; those that stay open can be put elsewhere.
    pub fn arrange(
        &mut self,
        start: usize,
        deleted: usize,
        cells: Vec<NotebookCell>,
        opened: Vec<TextDocumentItem>,
        closed: &[String],
    ) {
        let start = start.min(self.parts.len());
        let end = start.saturating_add(deleted).min(self.parts.len());
        self.aside.extend(self.parts.drain(start..end));
        self.aside.retain(|part| !closed.contains(&part.uri.0));
        self.told.retain(|uri, _| !closed.contains(uri));
        for item in opened {
            self.aside.retain(|part| part.uri != item.uri);
            self.aside.push(Part::new(item));
        }
        let mut added = Vec::new();
        for cell in cells {
            let at = self.aside.iter().position(|it| it.uri == cell.document);
            // A cell whose text was not said has none.
            let mut part = match at {
                Some(at) => self.aside.swap_remove(at),
                None => Part {
                    uri: cell.document,
                    version: 0,
                    text: Arc::from(""),
                    language: String::new(),
                    kind: CellKind::Markup,
                },
            };
            part.set_kind(cell.kind);
            added.push(part);
        }
        self.parts.splice(start..start, added);
        self.changed();
    }

    /// Cells of which something else than the text changed: what they hold, for instance.
    pub fn set_kinds(&mut self, cells: Vec<NotebookCell>) {
        for cell in cells {
            for part in &mut self.parts {
                if part.uri == cell.document {
                    part.set_kind(cell.kind);
                }
            }
        }
        self.changed();
    }

    fn changed(&mut self) {
        self.edition = next_number();
        self.forget();
    }

    /// Nothing is known any longer: the text is another one, or what is around it.
    pub fn forget(&mut self) {
        self.generation.store(next_number(), Ordering::SeqCst);
        self.known = None;
    }

    /// Which text this is, among those of all documents.
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// Which text this is, and how often what is around it changed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Whether what is asked about the text now is outdated.
    pub fn is_outdated(&self) -> IsOutdated {
        let (shared, now) = (Arc::clone(&self.generation), self.generation());
        Arc::new(move || shared.load(Ordering::SeqCst) != now)
    }

    /// The number of the part with this URI.
    pub fn part(&self, uri: &str) -> Option<usize> {
        self.parts.iter().position(|part| part.uri.0 == uri)
    }

    /// The URIs of all texts that are open with it.
    pub fn uris(&self) -> impl Iterator<Item = &Uri> {
        let parts = self.parts.iter().chain(&self.aside);
        parts.map(|part| &part.uri)
    }

    /// What the analyst is asked about.
    pub fn text(&self) -> Text {
        let path = self.path.clone();
        let cell = |part: &Part| Cell {
            kind: part.kind,
            text: Arc::clone(&part.text),
        };
        let content = match self.parts.first() {
            Some(part) if !self.is_notebook => Content::Plain(Arc::clone(&part.text)),
            _ => Content::Notebook(self.parts.iter().map(cell).collect()),
        };
        Text { path, content }
    }

    /// Whether its parts are cells.
    pub fn is_notebook(&self) -> bool {
        self.is_notebook
    }

    /// All that is found in the text, if that is known.
    pub fn final_look(&self) -> Option<&Result<Arc<Look>, Problem>> {
        let is_final = |known: &&Result<Arc<Look>, Problem>| match known {
            Ok(look) => look.is_final,
            Err(_) => true,
        };
        self.known.as_ref().filter(is_final)
    }

    /// What is to be seen of each part, as `shown` says, where the client was told something else of
    /// it or told it of another text.
    pub fn news(&mut self, shown: impl Fn(usize, &Part) -> Vec<Diagnostic>) -> Vec<News> {
        let parts = self.parts.iter().enumerate();
        let parts = parts.map(|(number, part)| (Some(number), part, shown(number, part)));
        let aside = self.aside.iter().map(|part| (None, part, Vec::new()));
        let mut news = Vec::new();
        for (number, part, diagnostics) in parts.chain(aside) {
            let told = (part.version, diagnostics);
            if self.told.get(&part.uri.0) == Some(&told) {
                continue;
            }
            news.push(News {
                part: number,
                uri: part.uri.clone(),
                version: Some(part.version),
                diagnostics: told.1.clone(),
            });
            self.told.insert(part.uri.0.clone(), told);
        }
        news
    }

    /// Has all parts told again.
    pub fn tell_again(&mut self) {
        self.told.clear();
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        self.forget(); // whoever is still at work on it need not be
    }
}

/// Another one for each text of a document, and for each change around one.
fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use lsp_types::{
        Position, Range, TextDocumentContentChangePartial, TextDocumentContentChangeWholeDocument,
    };

    use super::*;

    #[allow(deprecated)] // the length that old clients send
    fn part(start: (u32, u32), end: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        let position = |(line, column)| Position::new(line, column);
        TextDocumentContentChangeEvent::TextDocumentContentChangePartial(
            TextDocumentContentChangePartial {
                range: Range::new(position(start), position(end)),
                range_length: None,
                text: text.to_string(),
            },
        )
    }

    fn item(uri: &str, language: &str, text: &str) -> TextDocumentItem {
        TextDocumentItem {
            uri: Uri(uri.to_string()),
            language_id: language.to_string().into(),
            version: 1,
            text: text.to_string(),
        }
    }

    fn cell(uri: &str, kind: NotebookCellKind) -> NotebookCell {
        NotebookCell {
            kind,
            document: Uri(uri.to_string()),
            metadata: None,
            execution_summary: None,
        }
    }

    fn code(uri: &str) -> NotebookCell {
        cell(uri, NotebookCellKind::Code)
    }

    #[test]
    fn what_was_found_before_a_document_was_closed_is_outdated() {
        let closed = Document::new(None, item("a", "python", "a\n"));
        let outdated = closed.is_outdated();
        let generation = closed.generation();
        drop(closed);
        let again = Document::new(None, item("a", "python", "b\n"));
        assert!(outdated());
        assert_ne!(generation, again.generation());
    }

    #[test]
    fn each_change_is_made_to_what_those_before_left() {
        let mut document = Document::new(None, item("a", "python", "a\r\n𝒳b\n"));
        let outdated = document.is_outdated();
        assert!(!outdated());
        let changes = vec![
            part((1, 2), (1, 3), "c\nd"), // the b
            part((2, 0), (2, 1), "e"),
            part((0, 1), (1, 0), ""),
        ];
        document.edit("a", 2, changes, Encoding::Utf16).unwrap();
        assert_eq!(&*document.parts[0].text, "a𝒳c\ne\n");
        assert!(outdated() && !document.is_outdated()());
        let whole = TextDocumentContentChangeWholeDocument {
            text: "x".to_string(),
        };
        let whole = TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole);
        let changes = vec![whole, part((0, 1), (9, 9), "y")];
        document.edit("a", 3, changes, Encoding::Utf8).unwrap();
        assert_eq!(&*document.parts[0].text, "xy");
        assert_eq!(document.parts[0].version, 3);
        let outdated = document.is_outdated();
        drop(document);
        assert!(outdated());
    }

    #[track_caller]
    fn check(document: &Document, expected: &[(&str, &str, CellKind)]) {
        let parts = document.parts.iter();
        let parts: Vec<_> = parts.map(|it| (&*it.uri.0, &*it.text, it.kind)).collect();
        assert_eq!(parts, expected);
    }

    #[test]
    fn cells_come_go_and_move_with_their_texts() {
        use CellKind::{Markup, OtherCode, Python, Raw};
        let cells = vec![
            cell("m", NotebookCellKind::Markup),
            code("a"),
            code("r"),
            code("s"),
        ];
        let texts = vec![
            item("m", "markdown", "M"),
            item("a", "python", "A"),
            item("r", "raw", "R"),
            item("s", "shellscript", "S"),
        ];
        let mut document = Document::notebook(Uri(String::new()), None, cells, texts);
        let (a, m) = (("a", "A", Python), ("m", "M", Markup));
        let (r, s) = (("r", "R", Raw), ("s", "S", OtherCode));
        check(&document, &[m, a, r, s]);
        // A move takes a cell out and puts it in again.
        document.arrange(0, 2, vec![code("a")], vec![], &["m".to_string()]);
        check(&document, &[a, r, s]);
        document.arrange(0, 1, vec![], vec![], &[]);
        document
            .edit("a", 2, vec![part((0, 0), (0, 0), "x")], Encoding::Utf16)
            .unwrap();
        document.arrange(9, 9, vec![code("a"), code("b")], vec![], &[]);
        let a = ("a", "xA", Python);
        check(&document, &[r, s, a, ("b", "", OtherCode)]);
        // Another kind: the same cell, or another text with its name.
        document.set_kinds(vec![cell("a", NotebookCellKind::Markup)]);
        assert_eq!(document.parts[2].kind, Markup);
        let opened = vec![item("a", "python", "B")];
        document.arrange(2, 1, vec![code("a")], opened, &["a".to_string()]);
        check(&document, &[r, s, ("a", "B", Python), ("b", "", OtherCode)]);
        document.edit("m", 2, vec![], Encoding::Utf16).unwrap_err();
    }
}
