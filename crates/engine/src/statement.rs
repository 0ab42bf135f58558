//! Writing whole statements: in place of one, or before one.

use edit::Edit;
use python::ast::AnyNodeRef;
use python::{After, Module, Placement, Ranged, TextLen, TextRange, TextSize, is_blank};

/// A line of a generated block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many levels it is indented more than the statement that the block stands for.
    pub depth: usize,
    /// Its text without indentation. It may go on over further lines, which carry theirs.
    pub text: String,
}

impl Line {
    /// A line at this depth.
    pub fn new(depth: usize, text: impl Into<String>) -> Self {
        Self {
            depth,
            text: text.into(),
        }
    }
}

/// The edit that puts `lines` in the place of `statement`.
///
/// A suite on the header's line and a `;` chain are split as far as needed. A comment at the end
/// of the statement's line goes to the end of the first line. Comments inside the statement are
/// the caller's.
pub fn replace_statement<'n>(
    module: &Module<'_>,
    statement: impl Into<AnyNodeRef<'n>>,
    lines: &[Line],
) -> Edit {
    replace_statement_commented(module, statement, lines, 0)
}

/// The same with the comment at the end of the line of this number, for lines that have comments of
/// the statement before that.
pub fn replace_statement_commented<'n>(
    module: &Module<'_>,
    statement: impl Into<AnyNodeRef<'n>>,
    lines: &[Line],
    commented: usize,
) -> Edit {
    let statement = statement.into();
    let placement = module.placement(statement);
    let newline = module.newline();
    let (start, mut text) = line_break(module, &placement, statement.start());
    for (position, line) in lines.iter().enumerate() {
        if position > 0 {
            text.push_str(newline);
            text.push_str(&placement.indent);
            text.push_str(&module.indent().repeat(line.depth));
        }
        text.push_str(&line.text);
        if position == commented
            && let Some(comment) = placement.comment
        {
            text.push_str("  ");
            text.push_str(module.text(comment));
        }
    }
    let mut end = statement.end();
    match placement.after {
        After::Nothing => {}
        After::Semicolon(semicolon) => end = semicolon.end(),
        After::Statement(between) => {
            end = between.end();
            text.push_str(newline);
            text.push_str(&placement.indent);
        }
    }
    if let Some(comment) = placement.comment {
        end = end.max(comment.end());
    }
    // Blanks at the end of the line would belong to a comment that comes to stand there.
    let rest = TextRange::new(end, module.line_end(end));
    let ends_in_comment = || {
        let last = lines.last().map(|line| python::comments(&line.text));
        last.is_some_and(|comments| !comments.is_empty())
    };
    if !rest.is_empty() && is_blank(module.text(rest)) && ends_in_comment() {
        end = rest.end();
    }
    Edit::replace(start.to_usize()..end.to_usize(), text)
}

/// Where the edit of a statement starts, and what it writes there first, so that the statement
/// comes to stand on a line of its own: with it what precedes it on the header's line.
fn line_break(
    module: &Module<'_>,
    placement: &Placement,
    statement: TextSize,
) -> (TextSize, String) {
    let line_break = format!("{}{}", module.newline(), placement.indent);
    let (gap, text) = match (placement.before, placement.suite) {
        (None, _) => return (statement, String::new()),
        (Some(before), None) => (before, line_break),
        (Some(before), Some(suite)) => {
            let preceding = module.text(TextRange::new(suite.end(), before.start()));
            (suite, format!("{line_break}{preceding}{line_break}"))
        }
    };
    if gap.is_empty() {
        // `if x:y`: whoever else breaks the line there is to meet this edit, and wait for it.
        let colon = gap.start() - ":".text_len();
        return (colon, format!(":{text}"));
    }
    (gap.start(), text)
}

/// The edit that puts `lines` before `statement`, which stays as it is.
pub fn insert_before<'n>(
    module: &Module<'_>,
    statement: impl Into<AnyNodeRef<'n>>,
    lines: &[Line],
) -> Edit {
    let statement = statement.into();
    let placement = module.placement(statement);
    let newline = module.newline();
    let (start, mut text) = line_break(module, &placement, statement.start());
    for line in lines {
        text.push_str(&module.indent().repeat(line.depth));
        text.push_str(&line.text);
        text.push_str(newline);
        text.push_str(&placement.indent);
    }
    Edit::replace(start.to_usize()..statement.start().to_usize(), text)
}

#[cfg(test)]
mod tests {
    use edit::{Change, merge};
    use python::ast::{Expr, PythonVersion};

    use super::*;

    /// `source` with two lines in the place of the statement `x`.
    fn replaced(source: &str) -> String {
        let change = Change {
            edits: vec![edit(source)],
            tag: (),
        };
        merge(source, &[change], &[]).text
    }

    fn edit(source: &str) -> Edit {
        edit_to(source, "x")
    }

    fn edit_to(source: &str, last: &str) -> Edit {
        let parsed = python::parse(source, PythonVersion::PY311).unwrap();
        let module = Module::new(source, &parsed);
        let statement = module
            .descendants(module.root())
            .find(|node| match node {
                AnyNodeRef::StmtExpr(stmt) => {
                    matches!(&*stmt.value, Expr::Name(name) if name.id == "x")
                }
                _ => false,
            })
            .unwrap();
        let lines = [Line::new(0, "with y:"), Line::new(1, last)];
        replace_statement(&module, statement, &lines)
    }

    #[test]
    fn blanks_do_not_become_part_of_a_comment() {
        let commented = edit_to("x \t\ny\n", "x  # why");
        assert_eq!(commented, Edit::replace(0..3, "with y:\n    x  # why"));
        assert_eq!(edit("x \ny\n").range, 0..1);
    }

    #[test]
    fn of_two_that_break_the_line_at_a_colon_one_waits() {
        let source = "if a:x\n";
        let header = Edit::replace(0..5, "for a in b:\n    ");
        let changes = [header, edit(source)].map(|edit| Change {
            edits: vec![edit],
            tag: (),
        });
        assert_eq!(merge(source, &changes, &[]).accepted, [true, false]);
    }

    #[test]
    fn a_suite_on_its_headers_line_is_split_as_far_as_needed() {
        assert_eq!(replaced("if a: x\n"), "if a:\n    with y:\n        x\n");
        assert_eq!(
            replaced("if a: b; c; x; d  # e\n"),
            "if a:\n    b; c\n    with y:\n        x\n    d  # e\n"
        );
        assert_eq!(
            replaced("if a:x\nelse:\n    b\n"),
            "if a:\n    with y:\n        x\nelse:\n    b\n"
        );
        assert_eq!(
            replaced("if a:\r\n\tb; x;  # c\r\n"),
            "if a:\r\n\tb\r\n\twith y:  # c\r\n\t\tx\r\n"
        );
    }
}
