//! The text that is analysed in place of the one that is asked about.
//!
//! ty has no question for what an iterable gives. But it says what a name is: `*coros` is read as
//! `*[element for element in (coros)]`, and asked for `element`.

use ruff_text_size::TextRange;

use super::text_range;
use crate::{Ask, Question};

/// A name that nobody else uses.
const ELEMENT: &str = "__asyncfix_element";

pub(super) struct Probe {
    /// What the file is taken to hold.
    pub(super) text: String,
    /// For each question, where its expression is in that text.
    ranges: Vec<TextRange>,
}

impl Probe {
    pub(super) fn new(text: &str, questions: &[Question]) -> Self {
        // Each iterable once, by position. One inside another waits for a probe of its own, which
        // nobody has needed so far, and is unknown.
        let mut iterables: Vec<std::ops::Range<usize>> = questions
            .iter()
            .filter(|question| question.ask == Ask::Element)
            .map(|question| question.range.clone())
            .filter(|range| text.get(range.clone()).is_some())
            .collect();
        iterables.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        iterables.dedup();
        let mut end = 0;
        iterables.retain(|range| {
            let is_free = range.start >= end;
            end = end.max(range.end);
            is_free
        });
        let before = format!("[{ELEMENT} for {ELEMENT} in (");
        let after = ")]";
        let mut probe = String::with_capacity(text.len());
        let mut copied = 0;
        for range in &iterables {
            probe.push_str(&text[copied..range.start]);
            probe.push_str(&before);
            probe.push_str(&text[range.clone()]);
            probe.push_str(after);
            copied = range.end;
        }
        probe.push_str(&text[copied..]);
        let moved = |offset: usize| {
            let opened = iterables.iter().filter(|range| range.start <= offset);
            let closed = iterables.iter().filter(|range| range.end <= offset);
            offset + opened.count() * before.len() + closed.count() * after.len()
        };
        let ranges = questions
            .iter()
            .map(|question| {
                let start = moved(question.range.start);
                if question.ask == Ask::Element {
                    let is_probed = iterables.contains(&question.range);
                    let name = start + 1 - before.len();
                    let name = if is_probed { name } else { 0 };
                    return text_range(&(name..name + usize::from(is_probed) * ELEMENT.len()));
                }
                let holds = |range: &&std::ops::Range<usize>| {
                    question.range.start <= range.start
                        && range.end <= question.range.end
                        && **range != question.range
                };
                // An expression that holds an iterable grows by its brackets.
                let grown = iterables.iter().filter(holds).count();
                let at_start = iterables
                    .iter()
                    .filter(holds)
                    .filter(|range| range.start == question.range.start)
                    .count();
                let start = start - at_start * before.len();
                let end = start + question.range.len() + grown * (before.len() + after.len());
                text_range(&(start..end))
            })
            .collect();
        Self {
            text: probe,
            ranges,
        }
    }

    /// Where the expression of that question is.
    pub(super) fn range(&self, question: usize) -> TextRange {
        self.ranges.get(question).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{ELEMENT, Probe};
    use crate::{Ask, Question};

    #[track_caller]
    fn check(text: &str, asked: &[(Ask, &str)], probed: &str, found: &[&str]) {
        let questions: Vec<Question> = asked
            .iter()
            .map(|(ask, part)| {
                let start = text.find(part).unwrap();
                Question {
                    ask: *ask,
                    range: start..start + part.len(),
                }
            })
            .collect();
        let probe = Probe::new(text, &questions);
        assert_eq!(probe.text.replace(ELEMENT, "E"), probed);
        let texts: Vec<String> = (0..questions.len())
            .map(|number| std::ops::Range::<usize>::from(probe.range(number)))
            .map(|range| probe.text[range].replace(ELEMENT, "E"))
            .collect();
        assert_eq!(texts, found);
    }

    #[test]
    fn a_text_without_iterables_is_left_as_it_is() {
        check(
            "f(x)",
            &[(Ask::Value, "x"), (Ask::Callee, "f")],
            "f(x)",
            &["x", "f"],
        );
    }

    #[test]
    fn an_iterable_is_read_as_a_comprehension() {
        check(
            "g(a, *xs, b)",
            &[(Ask::Value, "a"), (Ask::Element, "xs"), (Ask::Value, "b")],
            "g(a, *[E for E in (xs)], b)",
            &["a", "E", "b"],
        );
    }

    #[test]
    fn expressions_inside_and_around_an_iterable_are_found() {
        check(
            "g(*f(x))",
            &[
                (Ask::Element, "f(x)"),
                (Ask::Callee, "f"),
                (Ask::Value, "x"),
                (Ask::Value, "f(x)"),
                (Ask::Value, "g(*f(x))"),
            ],
            "g(*[E for E in (f(x))])",
            &["E", "f", "x", "f(x)", "g(*[E for E in (f(x))])"],
        );
    }

    #[test]
    fn an_iterable_inside_another_is_not_probed() {
        check(
            "g(*f(*x))",
            &[(Ask::Element, "f(*x)"), (Ask::Element, "x")],
            "g(*[E for E in (f(*x))])",
            &["E", ""],
        );
    }
}
