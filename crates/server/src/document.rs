//! An open document.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use crate::analyst::{IsOutdated, Look, Problem, Text};
use crate::position::{Encoding, Places};

/// What the client has open, as it is now.
#[derive(Debug)]
pub struct Document {
    pub uri: Uri,
    pub path: Option<PathBuf>,
    /// The client's number for the text.
    pub version: i32,
    pub text: Arc<str>,
    /// Which text this is, and what was around it: what was found about another is outdated.
    generation: Arc<AtomicU64>,
    /// What is known of the text as it is.
    pub known: Option<Result<Arc<Look>, Problem>>,
}

impl Document {
    pub fn new(uri: Uri, path: Option<PathBuf>, version: i32, text: &str) -> Self {
        Self {
            uri,
            path,
            version,
            text: text.into(),
            generation: Arc::default(),
            known: None,
        }
    }

    /// Changes the text, each change made to what those before it left.
    pub fn edit(
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
        self.forget();
    }

    /// Nothing is known any longer: the text is another one, or what is around it.
    pub fn forget(&mut self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.known = None;
    }

    /// Which text this is.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Whether what is asked about the text now is outdated.
    pub fn is_outdated(&self) -> IsOutdated {
        let (shared, now) = (Arc::clone(&self.generation), self.generation());
        Arc::new(move || shared.load(Ordering::SeqCst) != now)
    }

    /// What the analyst is asked about.
    pub fn text(&self) -> Text {
        Text {
            path: self.path.clone(),
            content: Arc::clone(&self.text),
        }
    }

    /// All that is found in the text, if that is known.
    pub fn final_look(&self) -> Option<&Result<Arc<Look>, Problem>> {
        let is_final = |known: &&Result<Arc<Look>, Problem>| match known {
            Ok(look) => look.is_final,
            Err(_) => true,
        };
        self.known.as_ref().filter(is_final)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        self.forget(); // whoever is still at work on it need not be
    }
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

    #[test]
    fn each_change_is_made_to_what_those_before_left() {
        let mut document = Document::new(Uri(String::new()), None, 1, "a\r\n𝒳b\n");
        let outdated = document.is_outdated();
        assert!(!outdated());
        document.edit(
            2,
            vec![
                part((1, 2), (1, 3), "c\nd"), // the b
                part((2, 0), (2, 1), "e"),
                part((0, 1), (1, 0), ""),
            ],
            Encoding::Utf16,
        );
        assert_eq!(&*document.text, "a𝒳c\ne\n");
        assert!(outdated() && !document.is_outdated()());
        let whole = TextDocumentContentChangeWholeDocument {
            text: "x".to_string(),
        };
        let whole = TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole);
        document.edit(3, vec![whole, part((0, 1), (9, 9), "y")], Encoding::Utf8);
        assert_eq!(&*document.text, "xy");
        assert_eq!(document.version, 3);
        let outdated = document.is_outdated();
        drop(document);
        assert!(outdated());
    }
}
