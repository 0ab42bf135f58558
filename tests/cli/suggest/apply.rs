//! Suggestions, applied as GitHub applies them: the lines of a comment are replaced by those of its
//! block, which end as lines of the file end.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::project::Project;

/// Applies these comments in the work tree.
pub fn apply(project: &Project, comments: &[Value]) {
    let mut comments: Vec<&Value> = comments.iter().collect();
    // From the last to the first, so that lines keep their numbers.
    comments.sort_by_key(|it| std::cmp::Reverse(it["line"].as_u64().unwrap()));
    for comment in comments {
        let path = comment["path"].as_str().unwrap();
        let text = project.read(path);
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let number = |name: &str| usize::try_from(comment[name].as_u64().unwrap()).unwrap();
        let last = number("line");
        let first = if comment["start_line"].is_null() {
            last
        } else {
            number("start_line")
        };
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let content = suggestion(comment["body"].as_str().unwrap());
        let mut content = content.replace('\n', ending);
        if !lines[last - 1].ends_with('\n') {
            content.truncate(content.trim_end_matches(['\r', '\n']).len());
        }
        lines.splice(first - 1..last, [content.as_str()]);
        project.write(path, lines.concat());
    }
}

/// The lines of the one suggestion in a comment, as its Markdown is read.
pub fn suggestion(body: &str) -> String {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for event in Parser::new(body) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
                if info.starts_with("suggestion") =>
            {
                block = Some(String::new());
            }
            Event::Text(text) => {
                if let Some(block) = &mut block {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(block.take()),
            _ => {}
        }
    }
    assert_eq!(found.len(), 1, "{body}");
    found.remove(0)
}
