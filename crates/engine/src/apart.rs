//! Words that a bracket kept apart.

use edit::Edit;

use crate::sighting::is_part;

/// Puts a space where an edit takes away the bracket that a word touches, and writes another word
/// there: `with(a).b() as c` has no space of its own.
///
/// `edits` are sorted, and do not overlap.
pub(crate) fn keep_apart(source: &str, edits: &mut [Edit]) {
    let bytes = source.as_bytes();
    let is_word = |byte: Option<&u8>| byte.is_some_and(|it| is_part(*it));
    for edit in edits {
        let old = bytes.get(edit.range.clone()).unwrap_or_default();
        let new = edit.content.as_bytes();
        if old.is_empty() || new.is_empty() {
            continue;
        }
        let before = edit.range.start.checked_sub(1).and_then(|at| bytes.get(at));
        let starts = is_word(before) && !is_word(old.first()) && is_word(new.first());
        let after = bytes.get(edit.range.end);
        let ends = is_word(after) && !is_word(old.last()) && is_word(new.last());
        if ends {
            edit.content.push(' ');
        }
        if starts {
            edit.content.insert(0, ' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(source: &str, edit: Edit) -> String {
        let mut edits = [edit];
        keep_apart(source, &mut edits);
        let [edit] = edits;
        format!(
            "{}{}{}",
            &source[..edit.range.start],
            edit.content,
            &source[edit.range.end..]
        )
    }

    #[test]
    fn a_bracket_that_goes_leaves_a_space() {
        let source = "with(a).b()as c";
        assert_eq!(kept(source, Edit::replace(4..11, "d")), "with d as c");
        assert_eq!(kept(source, Edit::replace(4..11, "d()")), "with d()as c");
        assert_eq!(kept(source, Edit::replace(4..7, "(d)")), "with(d).b()as c");
    }

    #[test]
    fn what_is_part_of_a_word_stays_so() {
        assert_eq!(kept("ab(c)", Edit::replace(1..2, "x")), "ax(c)");
        assert_eq!(kept("ab(c)", Edit::insert(2_usize, "_2")), "ab_2(c)");
        assert_eq!(kept("x (c)", Edit::replace(2..5, "d")), "x d");
    }
}
