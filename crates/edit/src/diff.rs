//! The unified diff, as `git apply` and `patch -p1` read it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::ops::Range;

use similar::Algorithm;
use similar::algorithms::{DiffHook, diff_slices};

/// A part of the new file and the words to print after the `@@` of the hunks that hold it.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// Byte offsets into the new file's bytes. Empty where the part was deleted.
    pub range: Range<usize>,
    /// One line.
    pub heading: &'a str,
}

/// The patch that makes `after` out of `before`; empty where they are equal.
///
/// It is what git writes, with three lines of context. `path` is relative, with `/` between its
/// parts. The files may be in any encoding that holds ASCII: lines end at `\n` and at nothing
/// else, as they do for git.
///
/// A hunk has the headings of the sections that touch its changed lines, in the order of
/// `sections`, each once, with `, ` in between. Where none does, those that touch its context
/// stand in.
///
/// The lines shown as changed are the fewest that there can be, unless the files have more than a
/// thousand different lines in one stretch, or differ in long repetitions of the same lines.
pub fn unified_diff(path: &str, before: &[u8], after: &[u8], sections: &[Section]) -> Vec<u8> {
    let mut out = Vec::new();
    if before == after {
        return out;
    }
    let old = Lines::new(before);
    let new = Lines::new(after);
    let groups = groups(&old.lines, &new.lines);
    let hunks = hunks(&groups);
    let headings = headings(&groups, &hunks, &old, &new, sections);

    // A tab ends the name for readers that would take a space in it for its end.
    let tab = if path.contains(' ') { "\t" } else { "" };
    for (mark, side) in [("---", "a/"), ("+++", "b/")] {
        let name = quoted(&format!("{side}{path}"));
        out.extend_from_slice(format!("{mark} {name}{tab}\n").as_bytes());
    }
    for (hunk, headings) in hunks.iter().zip(headings) {
        hunk.write(&mut out, &old, &new, &headings.join(", "));
    }
    out
}

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// How many lines must be equal in a row for the files to be in step again.
const IN_STEP: usize = 64;

/// How many different lines are looked through for where the files are in step again. The work
/// grows with its square, and a codemod's changes are far below it.
const OUT_OF_STEP: usize = 1024;

/// A file's lines, each with the `\n` that ends it.
struct Lines<'a> {
    lines: Vec<&'a [u8]>,
    /// Byte offset of each line, and of the end of the file.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let mut starts = Vec::with_capacity(lines.len() + 1);
        let mut offset = 0;
        starts.push(offset);
        for line in &lines {
            offset += line.len();
            starts.push(offset);
        }
        Self { lines, starts }
    }

    fn get(&self, range: Range<usize>) -> &[&'a [u8]] {
        self.lines.get(range).unwrap_or_default()
    }

    /// Byte offset of the line of index `line`.
    fn start(&self, line: usize) -> usize {
        let end = self.starts.last().copied().unwrap_or_default();
        self.starts.get(line).copied().unwrap_or(end)
    }
}

/// Lines, by index, that are replaced by others. Between two groups there is at least one line
/// that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) old: Range<usize>,
    pub(crate) new: Range<usize>,
}

impl Group {
    /// How far lines that are only inserted, or only deleted, can be shown further up, and further
    /// down, between the line indices (old and new) `from` and `to`: of three equal lines, which
    /// one is new is not to be seen in the text.
    fn slack(
        &self,
        old: &[&[u8]],
        new: &[&[u8]],
        from: (usize, usize),
        to: (usize, usize),
    ) -> (usize, usize) {
        let (lines, range, from, to) = if self.old.is_empty() {
            (new, &self.new, from.1, to.1)
        } else if self.new.is_empty() {
            (old, &self.old, from.0, to.0)
        } else {
            return (0, 0);
        };
        let part = |range: Range<usize>| lines.get(range).unwrap_or_default();
        let above = part(from..range.start).iter().rev();
        let last = part(from..range.end).iter().rev();
        let up = above.zip(last).take_while(|(a, b)| a == b).count();
        let down = common_prefix(part(range.end..to), part(range.start..to));
        (up, down)
    }
}

/// What differs, by position.
pub(crate) fn groups(old_lines: &[&[u8]], new_lines: &[&[u8]]) -> Vec<Group> {
    let prefix = common_prefix(old_lines, new_lines);
    let old = old_lines.get(prefix..).unwrap_or_default();
    let new = new_lines.get(prefix..).unwrap_or_default();
    let suffix = old.iter().rev().zip(new.iter().rev());
    let suffix = suffix.take_while(|(old, new)| old == new).count();
    let old = old.get(..old.len() - suffix).unwrap_or_default();
    let new = new.get(..new.len() - suffix).unwrap_or_default();

    // Lines are compared many times: numbers are faster.
    let mut numbers = HashMap::new();
    let mut number = |line| {
        let next = numbers.len();
        *numbers.entry(line).or_insert(next)
    };
    let old: Vec<usize> = old.iter().map(|line| number(*line)).collect();
    let new: Vec<usize> = new.iter().map(|line| number(*line)).collect();

    // An exact diff of the whole takes time with the square of the number of different lines. So
    // the files are cut wherever they are in step for long, and the exact diff is made of what is
    // in between.
    let mut differences = Differences::default();
    let (mut old_rest, mut new_rest) = (old.as_slice(), new.as_slice());
    let (mut old_start, mut new_start) = (prefix, prefix);
    while !old_rest.is_empty() || !new_rest.is_empty() {
        let step = next_in_step(old_rest, new_rest);
        let (old_part, old_tail) = old_rest.split_at_checked(step.old).unwrap_or_default();
        let (new_part, new_tail) = new_rest.split_at_checked(step.new).unwrap_or_default();
        differences.old_start = old_start;
        differences.new_start = new_start;
        let Ok(()) = diff_slices(Algorithm::Myers, &mut differences, old_part, new_part);
        old_rest = old_tail.get(step.equal..).unwrap_or_default();
        new_rest = new_tail.get(step.equal..).unwrap_or_default();
        old_start += step.old + step.equal;
        new_start += step.new + step.equal;
    }
    moved_down(differences.groups, old_lines, new_lines)
}

/// What the exact diff finds, as it is found. The operations that `similar` hands out instead were
/// moved to look better, and overlap at times (seen in 2.7.0): no patch can be made of them.
#[derive(Default)]
struct Differences {
    groups: Vec<Group>,
    /// Line indices of the first items of the part that is looked at.
    old_start: usize,
    new_start: usize,
}

impl Differences {
    fn push(&mut self, old: Range<usize>, new: Range<usize>) {
        let old = self.old_start + old.start..self.old_start + old.end;
        let new = self.new_start + new.start..self.new_start + new.end;
        match self.groups.last_mut() {
            Some(last) if last.old.end == old.start && last.new.end == new.start => {
                last.old.end = old.end;
                last.new.end = new.end;
            }
            _ => self.groups.push(Group { old, new }),
        }
    }
}

impl DiffHook for Differences {
    type Error = Infallible;

    fn delete(&mut self, old: usize, len: usize, new: usize) -> Result<(), Infallible> {
        self.push(old..old + len, new..new);
        Ok(())
    }

    fn insert(&mut self, old: usize, new: usize, len: usize) -> Result<(), Infallible> {
        self.push(old..old, new..new + len);
        Ok(())
    }
}

/// Shows lines that are only inserted, or only deleted, as far down as their text allows, as diff
/// programs do; there they often join the next group.
fn moved_down(groups: Vec<Group>, old: &[&[u8]], new: &[&[u8]]) -> Vec<Group> {
    let mut below: Vec<Group> = Vec::with_capacity(groups.len());
    for mut group in groups.into_iter().rev() {
        loop {
            let (old_end, new_end) = match below.last() {
                Some(next) => (next.old.start, next.new.start),
                None => (old.len(), new.len()),
            };
            let from = (group.old.start, group.new.start);
            let (_, down) = group.slack(old, new, from, (old_end, new_end));
            group.old = group.old.start + down..group.old.end + down;
            group.new = group.new.start + down..group.new.end + down;
            match below.pop() {
                Some(next)
                    if next.old.start == group.old.end && next.new.start == group.new.end =>
                {
                    group.old.end = next.old.end;
                    group.new.end = next.new.end;
                }
                Some(next) => {
                    below.push(next);
                    break;
                }
                None => break,
            }
        }
        below.push(group);
    }
    below.reverse();
    below
}

/// Where two lists are in step again: after `old` and `new` items, for `equal` items.
struct Step {
    old: usize,
    new: usize,
    equal: usize,
}

/// Looks for the start of at least [`IN_STEP`] equal items, or of all that is left, with as few
/// different items before it as possible; gives up after [`OUT_OF_STEP`] of these.
///
/// This is the forward half of Myers' algorithm: `reach` holds for each diagonal, which is a
/// difference between the numbers of old and new items, how many old items can be passed with
/// the different items spent so far. It always passes something: where it gives up, at least as
/// many items as were different.
fn next_in_step(old: &[usize], new: &[usize]) -> Step {
    if old.is_empty() || new.is_empty() {
        let (old, new) = (old.len(), new.len());
        return Step { old, new, equal: 0 };
    }
    let mut furthest = Step {
        old: 0,
        new: 0,
        equal: 0,
    };
    let mut reach: Vec<Option<usize>> = Vec::new();
    for different in 0..=OUT_OF_STEP.min(old.len() + new.len()) {
        let mut next = Vec::with_capacity(different + 1);
        // The diagonal is `2 * index - different`.
        for index in 0..=different {
            let new_passed = |passed: usize| (passed + different).checked_sub(2 * index);
            let one_more_old = match index.checked_sub(1).and_then(|left| reach.get(left)) {
                Some(Some(passed)) if *passed < old.len() => Some(passed + 1),
                _ => None,
            };
            let one_more_new = match reach.get(index) {
                Some(Some(passed)) if new_passed(*passed).is_some_and(|it| it <= new.len()) => {
                    Some(*passed)
                }
                _ => None,
            };
            let start = if different == 0 {
                Some(0)
            } else {
                one_more_old.max(one_more_new)
            };
            let Some((old_passed, new_passed)) = start.and_then(|it| Some((it, new_passed(it)?)))
            else {
                next.push(None);
                continue;
            };
            let old_rest = old.get(old_passed..).unwrap_or_default();
            let new_rest = new.get(new_passed..).unwrap_or_default();
            let equal = common_prefix(old_rest, new_rest);
            let at_end = equal == old_rest.len() && equal == new_rest.len();
            if equal >= IN_STEP || at_end {
                return Step {
                    old: old_passed,
                    new: new_passed,
                    equal,
                };
            }
            let passed = old_passed + new_passed + 2 * equal;
            if passed > furthest.old + furthest.new {
                furthest.old = old_passed + equal;
                furthest.new = new_passed + equal;
            }
            next.push(Some(old_passed + equal));
        }
        reach = next;
    }
    furthest
}

fn common_prefix<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Groups so near each other that their context meets, and that context.
struct Hunk<'a> {
    groups: &'a [Group],
    /// Line indices, with context.
    old: Range<usize>,
    new: Range<usize>,
}

fn hunks(groups: &[Group]) -> Vec<Hunk<'_>> {
    let near = |a: &Group, b: &Group| b.old.start - a.old.end <= 2 * CONTEXT;
    groups.chunk_by(near).filter_map(Hunk::new).collect()
}

impl<'a> Hunk<'a> {
    /// `None` of no groups. The context may reach past the end of the files: it is cut off where
    /// lines are taken.
    fn new(groups: &'a [Group]) -> Option<Self> {
        let (first, last) = (groups.first()?, groups.last()?);
        let context = CONTEXT.min(first.old.start);
        Some(Self {
            groups,
            old: first.old.start - context..last.old.end + CONTEXT,
            new: first.new.start - context..last.new.end + CONTEXT,
        })
    }

    fn write(&self, patch: &mut Vec<u8>, old: &Lines, new: &Lines, heading: &str) {
        let span = |range: &Range<usize>, lines: &Lines| {
            let len = range.end.min(lines.lines.len()) - range.start;
            match len {
                // An empty span is named by the line that it follows.
                0 => format!("{},0", range.start),
                1 => format!("{}", range.start + 1),
                _ => format!("{},{len}", range.start + 1),
            }
        };
        let (old_span, new_span) = (span(&self.old, old), span(&self.new, new));
        let space = if heading.is_empty() { "" } else { " " };
        let head = format!("@@ -{old_span} +{new_span} @@{space}{heading}\n");
        patch.extend_from_slice(head.as_bytes());

        let mut copied = self.old.start;
        for group in self.groups {
            write_lines(patch, b' ', old.get(copied..group.old.start));
            write_lines(patch, b'-', old.get(group.old.clone()));
            write_lines(patch, b'+', new.get(group.new.clone()));
            copied = group.old.end;
        }
        let end = self.old.end.min(old.lines.len());
        write_lines(patch, b' ', old.get(copied..end));
    }
}

fn write_lines(patch: &mut Vec<u8>, mark: u8, lines: &[&[u8]]) {
    for line in lines {
        patch.push(mark);
        patch.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            patch.extend_from_slice(b"\n\\ No newline at end of file\n");
        }
    }
}

/// A place of changed lines, in bytes of the new file.
struct Place {
    range: Range<usize>,
    /// Nothing but deleted: a section touches it at its ends too.
    point: bool,
    /// Index of the hunk that it is in.
    hunk: usize,
}

/// For each hunk, its headings.
fn headings<'a>(
    groups: &[Group],
    hunks: &[Hunk],
    old: &Lines,
    new: &Lines,
    sections: &[Section<'a>],
) -> Vec<Vec<&'a str>> {
    let mut headings = vec![Vec::new(); hunks.len()];
    let in_hunks = hunks.iter().enumerate();
    let in_hunks = in_hunks.flat_map(|(index, hunk)| hunk.groups.iter().map(move |_| index));
    let mut from = (0, 0);
    let mut places = Vec::with_capacity(groups.len());
    for (index, (group, hunk)) in groups.iter().zip(in_hunks).enumerate() {
        let to = match groups.get(index + 1) {
            Some(next) => (next.old.start, next.new.start),
            None => (old.lines.len(), new.lines.len()),
        };
        let slack = group.slack(&old.lines, &new.lines, from, to);
        places.push(place(group, slack, hunk, new));
        from = (group.old.end, group.new.end);
    }
    note(&mut headings, &places, sections);

    let nameless = hunks.iter().zip(&headings).enumerate();
    let nameless: Vec<Place> = nameless
        .filter(|(_, (_, headings))| headings.is_empty())
        .map(|(index, (hunk, _))| Place {
            range: new.start(hunk.new.start)..new.start(hunk.new.end),
            point: false,
            hunk: index,
        })
        .collect();
    note(&mut headings, &nameless, sections);
    headings
}

/// All places at which the diff could as well have shown the group.
fn place(group: &Group, (up, down): (usize, usize), hunk: usize, new: &Lines) -> Place {
    let first = group.new.start - up;
    let mut start = new.start(first);
    let point = group.new.is_empty();
    if point && let Some(above) = first.checked_sub(1) {
        // A deletion that began with the line break before the first deleted line left its
        // section in front of that line break.
        let above = new.get(above..first).first().copied().unwrap_or_default();
        let content = above.strip_suffix(b"\n").unwrap_or(above);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        start -= above.len() - content.len();
    }
    Place {
        range: start..new.start(group.new.end + down),
        point,
        hunk,
    }
}

/// Adds the headings of the sections that touch the places, which are by position.
fn note<'a>(headings: &mut [Vec<&'a str>], places: &[Place], sections: &[Section<'a>]) {
    for section in sections {
        let Range { start, end } = section.range;
        let heading = section.heading.lines().next().unwrap_or_default();
        let from = places.partition_point(|place| place.range.end < start);
        let near = places.get(from..).unwrap_or_default().iter();
        for place in near.take_while(|place| place.range.start <= end) {
            let at_end = place.range.end == start || place.range.start == end;
            if at_end && !place.point && start < end {
                continue;
            }
            match headings.get_mut(place.hunk) {
                Some(known) if !heading.is_empty() && !known.contains(&heading) => {
                    known.push(heading);
                }
                _ => {}
            }
        }
    }
}

/// A name as git writes it: in quotes where it holds what could be misread.
fn quoted(name: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if name.bytes().all(plain) {
        return name.to_owned();
    }
    let mut quoted = String::with_capacity(name.len() + 8);
    quoted.push('"');
    for byte in name.bytes() {
        let escape = match byte {
            0x07 => 'a',
            0x08 => 'b',
            b'\t' => 't',
            b'\n' => 'n',
            0x0b => 'v',
            0x0c => 'f',
            b'\r' => 'r',
            b'"' | b'\\' => char::from(byte),
            _ if plain(byte) => {
                quoted.push(char::from(byte));
                continue;
            }
            _ => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\{byte:03o}");
                continue;
            }
        };
        quoted.push('\\');
        quoted.push(escape);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// Compares the patch from its first `@@` on. `sections` are byte ranges of `after` and
    /// headings.
    #[track_caller]
    fn check(before: &str, after: &str, sections: &[(usize, usize, &str)], expected: &str) {
        let sections: Vec<_> = sections
            .iter()
            .map(|(start, end, heading)| Section {
                range: *start..*end,
                heading,
            })
            .collect();
        let patch = unified_diff("f.py", before.as_bytes(), after.as_bytes(), &sections);
        let patch = String::from_utf8(patch).unwrap();
        let hunks = patch
            .strip_prefix("--- a/f.py\n+++ b/f.py\n")
            .unwrap_or(&patch);
        assert_eq!(hunks, expected);
    }

    /// Compares what stands after the second `@@` of each hunk.
    #[track_caller]
    fn check_headings(
        before: &str,
        after: &str,
        sections: &[(usize, usize, &str)],
        expected: &[&str],
    ) {
        let sections: Vec<_> = sections
            .iter()
            .map(|(start, end, heading)| Section {
                range: *start..*end,
                heading,
            })
            .collect();
        let patch = unified_diff("f.py", before.as_bytes(), after.as_bytes(), &sections);
        let patch = String::from_utf8(patch).unwrap();
        let headings = patch.lines().filter(|line| line.starts_with("@@"));
        let headings: Vec<_> = headings
            .map(|line| line.rsplit("@@").next().unwrap().trim())
            .collect();
        assert_eq!(headings, expected, "{patch}");
    }

    /// Compares the name after `+++`.
    #[track_caller]
    fn check_name(path: &str, expected: &str) {
        let text = String::from_utf8(unified_diff(path, b"", b"x\n", &[])).unwrap();
        let name = text.lines().nth(1).unwrap().strip_prefix("+++ ").unwrap();
        assert_eq!(name, expected);
    }

    /// Lets git apply the patch of each case, all at once, to files of its own.
    #[track_caller]
    fn check_git_applies(cases: &[(Vec<u8>, Vec<u8>)]) {
        let folder = tempfile::tempdir().unwrap();
        let name = |index: usize| match index {
            0 => "a b.py".to_owned(),
            1 => "é.py".to_owned(),
            _ => format!("{index}.py"),
        };
        let mut patch = Vec::new();
        for (index, (before, after)) in cases.iter().enumerate() {
            fs::write(folder.path().join(name(index)), before).unwrap();
            patch.extend(unified_diff(&name(index), before, after, &[]));
        }
        fs::write(folder.path().join("patch"), &patch).unwrap();
        let output = Command::new("git")
            .args(["apply", "patch"])
            .current_dir(&folder)
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        let patch = String::from_utf8_lossy(&patch);
        assert!(output.status.success(), "{message}\n{patch}");
        for (index, (before, after)) in cases.iter().enumerate() {
            let actual = fs::read(folder.path().join(name(index))).unwrap();
            assert!(
                actual == *after,
                "{}\nis not\n{}",
                actual.escape_ascii(),
                after.escape_ascii(),
            );
            let groups = groups(&Lines::new(before).lines, &Lines::new(after).lines);
            let touching = |pair: &[Group]| {
                pair[0].old.end >= pair[1].old.start || pair[0].new.end >= pair[1].new.start
            };
            assert!(!groups.windows(2).any(touching), "{groups:?}");
        }
    }

    #[test]
    fn equal_files_have_no_patch() {
        check("", "", &[], "");
        check("a\n", "a\n", &[(0, 1, "x")], "");
    }

    #[test]
    fn context_is_three_lines() {
        check(
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
            "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
            &[],
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n",
        );
    }

    #[test]
    fn hunks_whose_context_meets_are_one() {
        check(
            "a\n1\n2\n3\n4\n5\n6\nb\n",
            "x\n1\n2\n3\n4\n5\n6\ny\n",
            &[],
            "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n",
        );
    }

    #[test]
    fn hunks_apart_are_two() {
        check(
            "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
            "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
            &[],
            "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+y\n",
        );
    }

    #[test]
    fn spans_of_one_line_and_of_none_are_written_as_git_does() {
        check("", "a\n", &[], "@@ -0,0 +1 @@\n+a\n");
        check("a\nb\n", "", &[], "@@ -1,2 +0,0 @@\n-a\n-b\n");
    }

    #[test]
    fn a_missing_final_newline_is_told_for_each_side() {
        let none = "\\ No newline at end of file\n";
        check("a", "a\n", &[], &format!("@@ -1 +1 @@\n-a\n{none}+a\n"));
        check("a\n", "a", &[], &format!("@@ -1 +1 @@\n-a\n+a\n{none}"));
        check("a", "b", &[], &format!("@@ -1 +1 @@\n-a\n{none}+b\n{none}"));
        check(
            "a\nb",
            "c\nb",
            &[],
            &format!("@@ -1,2 +1,2 @@\n-a\n+c\n b\n{none}"),
        );
    }

    #[test]
    fn lines_end_at_newlines_only() {
        check(
            "a\rb\r\n",
            "a\rc\r\n",
            &[],
            "@@ -1 +1 @@\n-a\rb\r\n+a\rc\r\n",
        );
        check("a\r\n", "a\n", &[], "@@ -1 +1 @@\n-a\r\n+a\n");
    }

    #[test]
    fn names_are_quoted_as_git_does() {
        check_name("a/b-c.py", "b/a/b-c.py");
        check_name("a b.py", "b/a b.py\t");
        check_name("a\"b\\c.py", r#""b/a\"b\\c.py""#);
        check_name("é.py", r#""b/\303\251.py""#);
        check_name("a\t\u{1}\u{7f}.py", r#""b/a\t\001\177.py""#);
        check_name("é b.py", "\"b/\\303\\251 b.py\"\t");
    }

    #[test]
    fn hunks_without_section_have_no_heading() {
        check_headings("a\n", "b\n", &[], &[""]);
        check_headings("a\n1\n2\n3\n4\n", "b\n1\n2\n3\n4\n", &[(8, 9, "x")], &[""]);
        check_headings("a\n", "b\n", &[(0, 1, "")], &[""]);
    }

    #[test]
    fn sections_in_the_context_give_no_heading_beside_those_in_changed_lines() {
        check_headings(
            "a\nb\nc\n",
            "a\nx\nc\n",
            &[(0, 2, "x"), (2, 3, "y"), (4, 5, "z")],
            &["y"],
        );
    }

    #[test]
    fn sections_in_the_context_stand_in_where_no_other_does() {
        check_headings("a\nb\nc\n", "a\nx\nc\n", &[(0, 1, "x")], &["x"]);
    }

    #[test]
    fn headings_are_listed_once() {
        check_headings(
            "a\n",
            "xyz\n",
            &[(0, 1, "x"), (1, 2, "y"), (2, 3, "x")],
            &["x, y"],
        );
    }

    #[test]
    fn a_heading_is_one_line() {
        check_headings("a\n", "b\n", &[(0, 1, "x\ny")], &["x"]);
    }

    #[test]
    fn a_section_over_several_hunks_gives_each_its_heading() {
        check_headings(
            "a\n1\n2\n3\n4\n5\n6\n7\nb\n",
            "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
            &[(0, 18, "x"), (16, 17, "y")],
            &["x", "x, y"],
        );
    }

    #[test]
    fn deletions_have_their_heading() {
        // Deleted up to the start of the next line, from the end of the line before, at the end.
        check_headings(
            "a\nb\nc\n",
            "a\nc\n",
            &[(2, 2, "x"), (0, 0, "y"), (4, 4, "y")],
            &["x"],
        );
        check_headings("a\nb\nc\n", "a\nc\n", &[(1, 1, "x"), (0, 0, "y")], &["x"]);
        check_headings("a\r\nb\r\nc", "a\r\nc", &[(1, 1, "x"), (0, 0, "y")], &["x"]);
        check_headings("a\nb\n", "a\n", &[(2, 2, "x")], &["x"]);
        check_headings("abc\n", "ac\n", &[(1, 1, "x")], &["x"]);
    }

    #[test]
    fn sections_count_wherever_equal_lines_could_be_shown() {
        let other = (0, 1, "y");
        check_headings(
            "a\nb\n1\n1\n1\n1\n",
            "a\nb\n1\n1\n1\n1\n1\n",
            &[(4, 6, "x"), other],
            &["x"],
        );
        check_headings(
            "a\nb\n1\n1\n1\n1\n",
            "a\nb\n1\n1\n1\n",
            &[(4, 4, "x"), other],
            &["x"],
        );
    }

    #[test]
    fn files_in_step_again_are_cut_there() {
        let lines: Vec<u8> = (0..3000)
            .flat_map(|n| format!("{}\n", n % 7).into_bytes())
            .collect();
        let mut after = lines.clone();
        for n in (0..20).rev() {
            let at = 2 * (n * 149 + 3);
            match n % 3 {
                0 => drop(after.drain(at..at + 6)),
                1 => drop(after.splice(at..at, *b"x\n1\n")),
                _ => after[at] = b'y',
            }
        }
        let patch = unified_diff("f", &lines, &after, &[]);
        let changed = |mark: u8| {
            let lines = patch.split(|byte| *byte == b'\n');
            lines
                .filter(|line| line.first() == Some(&mark) && line.len() == 2)
                .count()
        };
        assert_eq!((changed(b'-'), changed(b'+')), (7 * 3 + 6, 7 * 2 + 6));
        check_git_applies(&[(lines, after)]);
    }

    #[test]
    fn files_that_are_never_in_step_have_a_patch() {
        let number = |n: usize| format!("{n}\n").into_bytes();
        let before: Vec<u8> = (0..2500).flat_map(number).collect();
        let other: Vec<u8> = (5000..7000).flat_map(number).collect();
        let mixed: Vec<u8> = (0..3000).map(|n| n * 2).flat_map(number).collect();
        let shifted = [other.as_slice(), &before, b"end"].concat();
        check_git_applies(&[
            (before.clone(), other),
            (before.clone(), mixed),
            (before, shifted),
        ]);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn git_makes_the_new_file_of_the_old_one(mut cases in prop::collection::vec(files(), 60)) {
            cases.push((Vec::new(), b"a\n".to_vec()));
            cases.push((b"a".to_vec(), Vec::new()));
            check_git_applies(&cases);
        }
    }

    /// A file, and what became of it.
    fn files() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let line = || {
            prop::sample::select(vec![
                &b"a\n"[..],
                b"b\r\n",
                b"\n",
                b"\r\n",
                b"c\rd\n",
                b"\xff\n",
                b"\xc3\xa9\n",
                b"-- a\n",
                b"+\n",
                b"\\ e\n",
            ])
        };
        let parts = prop::collection::vec((line(), line(), 0..12u8), 0..40);
        let last = || prop::sample::select(vec![&b""[..], b"", b"e", b"\r", b"\xe9"]);
        (parts, last(), last()).prop_map(|(parts, old_last, new_last)| {
            let (mut old, mut new) = (Vec::new(), Vec::new());
            for (line, other, fate) in parts {
                if fate != 0 {
                    old.extend_from_slice(line);
                }
                match fate {
                    1 => {}
                    2 => new.extend_from_slice(other),
                    _ => new.extend_from_slice(line),
                }
            }
            old.extend_from_slice(old_last);
            new.extend_from_slice(new_last);
            (old, new)
        })
    }
}
