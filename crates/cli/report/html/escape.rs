//! Text of others, so that it is text on the page, and is seen as what it is.

use std::fmt::Write;

/// Text for an element or an attribute. What is not seen, or turns the text around it, is named.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            hidden if is_hidden(hidden) => {
                let _ = write!(escaped, "\u{27e8}U+{:04X}\u{27e9}", u32::from(hidden));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON for a script element: nothing in it ends the element, and whoever reads the source of the
/// page is not deceived.
pub fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // Outside of strings JSON has neither; in them the escape means the same.
        if matches!(character, '<' | '>' | '&') || is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Control and format characters, and what ends lines for some programs only. `assets/text.js`
/// asks the same.
fn is_hidden(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        _ if character.is_control() => true,
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{ffa0}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            html("</script><!--&\"'"),
            "&lt;/script&gt;&lt;!--&amp;&quot;&#39;"
        );
        let escaped = json("\"</script><!--&\"");
        assert!(!escaped.contains(['<', '>', '&']), "{escaped}");
    }

    #[test]
    fn what_is_hidden_is_named() {
        assert_eq!(
            html("a\u{202e}b\0\u{2028}\n"),
            "a\u{27e8}U+202E\u{27e9}b\u{27e8}U+0000\u{27e9}\u{27e8}U+2028\u{27e9}\n"
        );
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "</script>&\u{202e}\u{2028}\u{e0041}\u{feff}\u{1f600}\u{7f}\\";
        let escaped = json(&serde_json::to_string(text).unwrap());
        assert!(!escaped.contains(is_hidden), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }
}
