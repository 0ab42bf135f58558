//! All open documents, found by the URI of a text or of a notebook.

use std::collections::HashMap;

use lsp_types::{
    DidChangeNotebookDocumentParams, DidChangeTextDocumentParams, DidOpenNotebookDocumentParams,
    DidOpenTextDocumentParams, Uri,
};

use crate::document::Document;
use crate::position::Encoding;
use crate::uri;

/// What the client has open.
#[derive(Debug, Default)]
pub struct Documents {
    /// By their own URIs.
    all: HashMap<String, Document>,
    /// The notebook of a cell, by the URI of its text.
    notebooks: HashMap<String, String>,
}

impl Documents {
    /// The document with this URI.
    pub fn get(&self, uri: &str) -> Option<&Document> {
        self.all.get(uri)
    }

    pub fn get_mut(&mut self, uri: &str) -> Option<&mut Document> {
        self.all.get_mut(uri)
    }

    /// The document that the text with this URI is part of, and the number of the part; none where
    /// it is in no document.
    pub fn find(&self, uri: &str) -> Option<(&Document, usize)> {
        let document = self.notebooks.get(uri).map_or(uri, String::as_str);
        let document = self.all.get(document)?;
        Some((document, document.part(uri)?))
    }

    /// The document that the text with this URI is part of.
    pub fn find_mut(&mut self, uri: &str) -> Option<&mut Document> {
        let document = self.notebooks.get(uri).map_or(uri, String::as_str);
        self.all.get_mut(document)
    }

    /// The URIs of all.
    pub fn uris(&self) -> Vec<String> {
        self.all.keys().cloned().collect()
    }

    /// Opens a text.
    pub fn open(&mut self, opened: DidOpenTextDocumentParams) -> &Document {
        let item = opened.text_document;
        let document = Document::new(uri::path(&item.uri), item);
        self.insert(document)
    }

    /// Opens a notebook.
    pub fn open_notebook(&mut self, opened: DidOpenNotebookDocumentParams) -> &Document {
        let notebook = opened.notebook_document;
        let path = uri::path(&notebook.uri);
        let texts = opened.cell_text_documents;
        self.insert(Document::notebook(
            notebook.uri,
            path,
            notebook.cells,
            texts,
        ))
    }

    fn insert(&mut self, document: Document) -> &Document {
        let uri = document.uri.0.clone();
        self.close(&uri);
        if document.is_notebook() {
            let cells = document.uris().map(|it| (it.0.clone(), uri.clone()));
            self.notebooks.extend(cells);
        }
        self.all.entry(uri).insert_entry(document).into_mut()
    }

    /// Changes a text, and gives its document. What is not open is an error.
    pub fn edit(
        &mut self,
        changed: DidChangeTextDocumentParams,
        encoding: Encoding,
    ) -> Result<&Document, String> {
        let version = changed.text_document.version;
        let uri = changed.text_document.text_document_identifier.uri.0;
        // Cells are changed as such, or by clients that know no better.
        let document = self.notebooks.get(&uri).unwrap_or(&uri);
        let document = self.all.get_mut(document);
        let document = document.ok_or_else(|| format!("`{uri}` is not open"))?;
        document.edit(&uri, version, changed.content_changes, encoding)?;
        Ok(document)
    }

    /// Changes a notebook, and gives it, with the cells that are closed. The order is that of the
    /// protocol: cells, what they are, their texts.
    pub fn edit_notebook(
        &mut self,
        changed: DidChangeNotebookDocumentParams,
        encoding: Encoding,
    ) -> Result<(&Document, Vec<Uri>), String> {
        let uri = changed.notebook_document.uri.0;
        let document = self.all.get_mut(&uri).filter(|it| it.is_notebook());
        let document = document.ok_or_else(|| format!("the notebook `{uri}` is not open"))?;
        let cells = changed.change.cells.unwrap_or_default();
        let before: Vec<Uri> = document.uris().cloned().collect();
        if let Some(structure) = cells.structure {
            let closed = structure.did_close.unwrap_or_default();
            let closed: Vec<String> = closed.into_iter().map(|it| it.uri.0).collect();
            document.arrange(
                usize::try_from(structure.array.start).unwrap_or(usize::MAX),
                usize::try_from(structure.array.delete_count).unwrap_or(usize::MAX),
                structure.array.cells.unwrap_or_default(),
                structure.did_open.unwrap_or_default(),
                &closed,
            );
        }
        document.set_kinds(cells.data.unwrap_or_default());
        for part in cells.text_content.unwrap_or_default() {
            let text = part.document.text_document_identifier.uri.0;
            document.edit(&text, part.document.version, part.changes, encoding)?;
        }
        let mut closed = before;
        closed.retain(|it| document.uris().all(|other| other != it));
        for uri in &closed {
            self.notebooks.remove(&uri.0);
        }
        let opened = document.uris().map(|it| (it.0.clone(), uri.clone()));
        self.notebooks.extend(opened);
        Ok((document, closed))
    }

    /// Closes a document, and gives it.
    pub fn close(&mut self, uri: &str) -> Option<Document> {
        let document = self.all.remove(uri)?;
        if document.is_notebook() {
            for part in document.uris() {
                self.notebooks.remove(&part.0);
            }
        }
        Some(document)
    }
}
