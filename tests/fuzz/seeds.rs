//! What is changed: the examples of the codemods' pages, whole programs, what failed before, and
//! code that nobody here wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use python::ast::{AnyNodeRef, PythonVersion, Stmt};
use python::{Module, Ranged};

use crate::page::{Expected, Page};

/// Texts to begin with.
pub struct Seeds {
    pub texts: Vec<String>,
    pub scraps: Scraps,
}

/// Parts of them, to be put elsewhere.
#[derive(Default)]
pub struct Scraps {
    /// At the left margin, each with a line ending behind it.
    pub statements: Vec<String>,
    /// On one line.
    pub expressions: Vec<String>,
}

/// In bytes. What fails in a long text fails in a short one, and that is soon rewritten.
const LONGEST: usize = 4 << 10;

/// So many texts of other people's code are enough.
const MOST: usize = 3_000;

impl Seeds {
    /// The seeds in the repository at `root`, and what runs something of asyncio's in the tree
    /// `real`. The fixed run does without the examples: who writes one on a page is not to meet
    /// what other texts bring up.
    pub fn read(root: &Path, real: Option<&Path>, is_fixed: bool) -> Self {
        let mut texts = if is_fixed { Vec::new() } else { examples() };
        for folder in ["tests/programs", "tests/programs_36", "tests/fuzz/corpus"] {
            texts.extend(files(&root.join(folder), &["py"]).iter().filter_map(text));
        }
        let own = texts.len();
        for path in real.map(|it| files(it, &["py"])).unwrap_or_default() {
            if let Some(text) = text(&path)
                && text.contains("async")
            {
                texts.extend(parts(&text));
            }
        }
        // Of all of the tree, not of where it begins.
        let others = texts.split_off(own);
        let step = others.len().div_ceil(MOST).max(1);
        texts.extend(others.into_iter().step_by(step));
        let scraps = Scraps::of(&texts);
        Self { texts, scraps }
    }
}

/// The examples of all pages, before and after.
fn examples() -> Vec<String> {
    let mut texts = Vec::new();
    for codemod in codemods::ALL {
        for example in Page::parse(codemod.page).unwrap().examples {
            match example.expected {
                Expected::Rewrite { before, after, .. } => texts.extend([before, after]),
                Expected::LeftAlone(text) | Expected::Withheld(text) => texts.push(text),
            }
        }
    }
    texts
}

/// The files of these kinds below a folder, by path.
pub fn files(folder: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|it| kinds.iter().any(|kind| it == *kind))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_string())
}

/// A short text as it is; of a long one its functions and classes, each with the imports.
fn parts(text: &str) -> Vec<String> {
    if text.len() <= LONGEST {
        return vec![text.to_string()];
    }
    let Ok(parsed) = python::parse(text, PythonVersion::PY313) else {
        return Vec::new();
    };
    let module = Module::new(text, &parsed);
    let mut imports = String::new();
    for stmt in module.body() {
        if matches!(stmt, Stmt::Import(_) | Stmt::ImportFrom(_)) {
            imports.push_str(module.text(stmt));
            imports.push('\n');
        }
    }
    let definitions = module.body().iter().filter_map(|stmt| {
        let is_definition = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        let own = module.text(stmt);
        let runs = own.contains("await ") || own.contains("asyncio") || own.contains("loop");
        (is_definition && runs && imports.len() + own.len() <= LONGEST)
            .then(|| format!("{imports}\n\n{own}\n"))
    });
    definitions.collect()
}

impl Scraps {
    fn of(texts: &[String]) -> Self {
        let mut statements = BTreeSet::new();
        let mut expressions = BTreeSet::new();
        for text in texts {
            let Ok(parsed) = python::parse(text, PythonVersion::PY313) else {
                continue;
            };
            let module = Module::new(text, &parsed);
            for node in module.descendants(module.root()) {
                let own = module.text(node);
                if node.is_statement() && own.len() < 400 {
                    let start = node.start().to_usize();
                    let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
                    if text[line..start].trim().is_empty() {
                        let lines = &text[line..node.end().to_usize()];
                        statements.insert(format!("{}\n", dedented(lines)));
                    }
                } else if is_scrap(node, own) {
                    expressions.insert(own.to_string());
                }
            }
        }
        Self {
            statements: statements.into_iter().collect(),
            expressions: expressions.into_iter().collect(),
        }
    }
}

fn is_scrap(node: AnyNodeRef, text: &str) -> bool {
    node.is_expression() && text.len() < 160 && !text.contains(['\n', '\r'])
}

/// The lines without the blanks that the first begins with.
pub fn dedented(lines: &str) -> String {
    let indent = lines.len() - lines.trim_start_matches([' ', '\t', '\u{c}']).len();
    let mut out = String::new();
    for line in lines.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches([' ', '\t', '\u{c}']).len();
        out.push_str(&line[blanks.min(indent)..]);
    }
    out
}
