//! Merging fixes that know nothing of each other into one text.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, Range};

use crate::Edit;

/// Edits that are applied all or not at all, and whose they are.
#[derive(Clone, Debug)]
pub struct Change<T> {
    /// Sorted or not; no two of them overlap. Those that insert at one offset are in the order in
    /// which their contents follow each other.
    pub edits: Vec<Edit>,
    /// Handed back with the parts of the output that these edits wrote.
    pub tag: T,
}

/// A part of a text that an edit wrote. Empty where the edit only deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched<T> {
    /// Byte offsets into the text.
    pub range: Range<usize>,
    /// Whose edit it was.
    pub tag: T,
}

/// The outcome of [`merge`].
#[derive(Clone, Debug)]
pub struct Merged<T> {
    /// The text after the accepted changes.
    pub text: String,
    /// For each change, in the order given: whether it was accepted.
    pub accepted: Vec<bool>,
    /// What the accepted edits wrote, now and before, by position in `text`.
    pub touched: Vec<Touched<T>>,
    /// From places in `text` back to places in the source.
    pub origins: Origins,
}

/// The way back from a text that [`merge`] made to the one that it was made from.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// What was written, with the two texts' parts changed: `old` is where it is in the output.
    written: Vec<Written>,
}

impl Origins {
    /// The part of the source that the part `range` of the output was made from. Where an edit
    /// wrote one of its ends, what that edit replaced belongs to it as a whole.
    ///
    /// Both are byte offsets. What lies behind the end of the output counts as behind that of the
    /// source.
    pub fn before(&self, range: &Range<usize>) -> Range<usize> {
        moved(range, &self.written)
    }
}

/// Applies the changes to `source`, each whole or not at all. The earlier of two changes that
/// cannot both be applied wins.
///
/// A change is refused if one of its edits
/// - lies outside `source`, splits a character, or overlaps another edit of the same change;
/// - shares a byte with what an earlier change replaces, or is an insertion inside of it;
/// - inserts where an earlier change inserts, and one of the two contents has a bracket without
///   its partner. Such an insertion is one end of something put around existing text, and which
///   of the two should be the inner one is not for us to guess;
/// - changes the indentation of a line on which an earlier change writes a line break, or the
///   other way round: the new lines would keep the old indentation; or of a line whose
///   indentation an earlier change changes.
///
/// What is not in conflict:
/// - Edits that are equal become one: the same import, or the same definition, asked for twice.
/// - Insertions at one offset follow each other: whole lines first (`import asyncio\n`), then
///   what belongs to the text there (`async `), then what starts a new line; and the earlier
///   change first where that leaves a choice.
/// - An insertion at the start or at the end of a replaced range stays outside of it.
///
/// `before` are the parts of `source` that earlier rounds wrote. They come back at their places in
/// the new text, grown by what was written over or into them.
///
/// Takes O(n log n) for n edits and earlier parts, besides the copying of the text.
pub fn merge<T: Clone>(source: &str, changes: &[Change<T>], before: &[Touched<T>]) -> Merged<T> {
    let mut board = Board::default();
    let accepted = changes
        .iter()
        .enumerate()
        .map(|(owner, change)| board.accept(source, owner, &change.edits))
        .collect();

    let pieces = board.into_pieces();
    let (text, written) = write(source, &pieces);

    let mut touched = Vec::with_capacity(before.len() + pieces.len());
    let end = source.len();
    touched.extend(before.iter().map(|part| Touched {
        range: moved(
            &(part.range.start.min(end)..part.range.end.min(end)),
            &written,
        ),
        tag: part.tag.clone(),
    }));
    for (piece, written) in pieces.iter().zip(&written) {
        // An edit that puts what was there already wrote nothing.
        if written.old.is_empty() && written.new.is_empty() {
            continue;
        }
        let owners = piece.owners.iter().filter_map(|owner| changes.get(*owner));
        touched.extend(owners.map(|change| Touched {
            range: written.new.clone(),
            tag: change.tag.clone(),
        }));
    }
    // Stable: of parts at one place, the one of the earlier round or change comes first.
    touched.sort_by_key(|part| (part.range.start, part.range.end));

    let back = |written: Written| Written {
        old: written.new,
        new: written.old,
    };
    Merged {
        text,
        accepted,
        touched,
        origins: Origins {
            written: written.into_iter().map(back).collect(),
        },
    }
}

/// An accepted edit.
struct Piece<'a> {
    range: Range<usize>,
    content: &'a str,
    /// Indices of the changes that asked for it.
    owners: Vec<usize>,
}

/// The edits accepted so far, by place. Edits that do nothing are not in it.
#[derive(Default)]
struct Board<'a> {
    /// By start. None is empty, no two overlap.
    replacements: BTreeMap<usize, Piece<'a>>,
    insertions: BTreeMap<usize, Insertions<'a>>,
    /// The lines whose indentation is changed: start and end, without the ending.
    indented: BTreeMap<usize, usize>,
    /// The edits that write a line break: start and end.
    breaking: BTreeMap<usize, usize>,
}

/// What is inserted at one offset.
#[derive(Default)]
struct Insertions<'a> {
    pieces: Vec<Piece<'a>>,
    /// Index into `pieces` by content.
    known: HashMap<&'a str, usize>,
    /// One of the contents has a bracket without its partner.
    lopsided: bool,
}

/// What an edit meets on the board.
enum Meets {
    Nothing,
    Equal,
    Conflict,
}

impl<'a> Board<'a> {
    /// Puts the edits on the board, if all of them can be there.
    fn accept(&mut self, source: &str, owner: usize, edits: &'a [Edit]) -> bool {
        let mut edits: Vec<&Edit> = edits.iter().collect();
        // Stable, and an insertion comes before a replacement that starts at the same offset.
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));

        // Also refuses what is reversed, out of bounds or inside a character.
        if edits
            .iter()
            .any(|it| source.get(it.range.clone()).is_none())
        {
            return false;
        }
        let overlap = |pair: &[&Edit]| matches!(pair, [a, b] if a.range.end > b.range.start);
        if edits.windows(2).any(overlap) {
            return false;
        }

        edits.retain(|edit| !(edit.range.is_empty() && edit.content.is_empty()));
        // All answers are asked for before anything is put on the board: two equal insertions of
        // one change are meant to be two.
        let met: Vec<Meets> = edits.iter().map(|edit| self.meets(edit)).collect();
        if met.iter().any(|it| matches!(it, Meets::Conflict)) {
            return false;
        }
        let indented: Vec<(usize, usize)> = edits
            .iter()
            .filter_map(|edit| indented_line(source, edit))
            .collect();
        // What is there already is no conflict: the same import, asked for twice.
        let breaking: Vec<(usize, usize)> = edits
            .iter()
            .zip(&met)
            .filter(|(edit, met)| {
                edit.content.contains(['\n', '\r']) && matches!(met, Meets::Nothing)
            })
            .map(|(edit, _)| (edit.range.start, edit.range.end))
            .collect();
        let lines_are_moved = breaking
            .iter()
            .chain(&indented)
            .any(|place| touches(&self.indented, *place))
            || indented.iter().any(|line| touches(&self.breaking, *line));
        if lines_are_moved {
            return false;
        }
        self.indented.extend(indented);
        for (start, end) in breaking {
            let known = self.breaking.entry(start).or_insert(end);
            *known = (*known).max(end);
        }
        for (edit, met) in edits.into_iter().zip(met) {
            match met {
                Meets::Equal => self.join(edit, owner),
                Meets::Nothing | Meets::Conflict => self.put(edit, owner),
            }
        }
        true
    }

    fn meets(&self, edit: &Edit) -> Meets {
        let Range { start, end } = edit.range;
        // Those that start further left end before this one does: they do not overlap each other.
        let left = self.replacements.range(..end).next_back();

        if edit.range.is_empty() {
            if left.is_some_and(|(_, piece)| piece.range.end > start) {
                return Meets::Conflict;
            }
            return match self.insertions.get(&start) {
                None => Meets::Nothing,
                Some(here) if here.lopsided || is_lopsided(&edit.content) => Meets::Conflict,
                Some(here) if here.known.contains_key(edit.content.as_str()) => Meets::Equal,
                Some(_) => Meets::Nothing,
            };
        }

        if let Some((_, piece)) = left
            && piece.range.end > start
        {
            return if piece.range == edit.range && piece.content == edit.content {
                Meets::Equal
            } else {
                Meets::Conflict
            };
        }
        let inside = (Bound::Excluded(start), Bound::Excluded(end));
        if self.insertions.range(inside).next().is_some() {
            return Meets::Conflict;
        }
        Meets::Nothing
    }

    /// Notes that `owner` too asks for an edit that is on the board.
    fn join(&mut self, edit: &Edit, owner: usize) {
        let piece = if edit.range.is_empty() {
            self.insertions.get_mut(&edit.range.start).and_then(|here| {
                let index = here.known.get(edit.content.as_str())?;
                here.pieces.get_mut(*index)
            })
        } else {
            self.replacements.get_mut(&edit.range.start)
        };
        if let Some(piece) = piece {
            piece.owners.push(owner);
        }
    }

    fn put(&mut self, edit: &'a Edit, owner: usize) {
        let piece = Piece {
            range: edit.range.clone(),
            content: &edit.content,
            owners: vec![owner],
        };
        if edit.range.is_empty() {
            let here = self.insertions.entry(edit.range.start).or_default();
            here.lopsided |= is_lopsided(&edit.content);
            here.known.entry(&edit.content).or_insert(here.pieces.len());
            here.pieces.push(piece);
        } else {
            self.replacements.insert(edit.range.start, piece);
        }
    }

    /// All edits, in the order in which their contents stand in the output.
    fn into_pieces(self) -> Vec<Piece<'a>> {
        let mut pieces: Vec<Piece> = self
            .insertions
            .into_values()
            .flat_map(|here| here.pieces)
            .chain(self.replacements.into_values())
            .collect();
        // Stable: among insertions of one kind at one offset, the earlier change comes first.
        pieces.sort_by_key(|piece| (piece.range.start, piece.range.end, kind(piece.content)));
        pieces
    }
}

/// Where an insertion belongs among others at the same offset.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Whole lines, put before the line that starts here.
    Lines,
    /// Part of the line at this offset.
    Inline,
    /// Starts a line after the one that ends here.
    NewLine,
}

/// The line, from its start to its ending, whose indentation the edit changes; none where it does
/// something else.
fn indented_line(source: &str, edit: &Edit) -> Option<(usize, usize)> {
    let is_blank = |text: &str| text.chars().all(|c| matches!(c, ' ' | '\t'));
    if !is_blank(&edit.content) || !is_blank(&source[edit.range.clone()]) {
        return None;
    }
    // No further back than it is blank: a line may be long, and have many edits.
    let before = &source[..edit.range.start];
    let before = before.trim_end_matches([' ', '\t']);
    if !before.is_empty() && !before.ends_with(['\n', '\r']) {
        return None;
    }
    let end = source[edit.range.end..]
        .find(['\n', '\r'])
        .map_or(source.len(), |ending| edit.range.end + ending);
    Some((before.len(), end))
}

/// Whether a place, both of its ends included, touches one of these, which do not overlap.
fn touches(places: &BTreeMap<usize, usize>, (start, end): (usize, usize)) -> bool {
    let last = places.range(..=end).next_back();
    last.is_some_and(|(_, other)| *other >= start)
}

fn kind(content: &str) -> Kind {
    let is_break = |char| char == '\n' || char == '\r';
    if content.ends_with(is_break) {
        Kind::Lines
    } else if content.starts_with(is_break) {
        Kind::NewLine
    } else {
        Kind::Inline
    }
}

/// Whether a bracket in `content` has no partner. Brackets in what some language takes for a
/// string count as well: the answer then costs another round, and nothing else.
fn is_lopsided(content: &str) -> bool {
    let mut open = Vec::new();
    for byte in content.bytes() {
        match byte {
            b'(' => open.push(b')'),
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b')' | b']' | b'}' if open.pop() != Some(byte) => return true,
            _ => {}
        }
    }
    !open.is_empty()
}

/// What became of a part of the source, without the text that was put back as it was.
#[derive(Clone, Debug)]
struct Written {
    /// Byte offsets into the source.
    old: Range<usize>,
    /// Byte offsets into the output.
    new: Range<usize>,
}

/// Applies edits that are in order and do not overlap.
fn write(source: &str, pieces: &[Piece]) -> (String, Vec<Written>) {
    let deleted: usize = pieces.iter().map(|piece| piece.range.len()).sum();
    let added: usize = pieces.iter().map(|piece| piece.content.len()).sum();
    let mut text = String::with_capacity(source.len() - deleted + added);
    let mut written = Vec::with_capacity(pieces.len());

    let mut copied = 0;
    for piece in pieces {
        text.push_str(source.get(copied..piece.range.start).unwrap_or_default());
        copied = piece.range.end;

        let old = source.get(piece.range.clone()).unwrap_or_default();
        let (prefix, suffix) = common_ends(old, piece.content);
        let start = text.len();
        text.push_str(piece.content);
        written.push(Written {
            old: piece.range.start + prefix..piece.range.end - suffix,
            new: start + prefix..text.len() - suffix,
        });
    }
    text.push_str(source.get(copied..).unwrap_or_default());
    (text, written)
}

/// How many bytes two texts have in common at the start, and how many at the end of the rest;
/// whole characters only.
fn common_ends(a: &str, b: &str) -> (usize, usize) {
    fn common(pairs: impl Iterator<Item = (char, char)>) -> usize {
        let equal = pairs.take_while(|(a, b)| a == b);
        equal.map(|(char, _)| char.len_utf8()).sum()
    }

    let prefix = common(a.chars().zip(b.chars()));
    let a = a.get(prefix..).unwrap_or_default();
    let b = b.get(prefix..).unwrap_or_default();
    (prefix, common(a.chars().rev().zip(b.chars().rev())))
}

/// Where the part `range` of the source is in the output. What was written over one of its ends
/// becomes part of it as a whole; what was inserted at its ends does not.
fn moved(range: &Range<usize>, written: &[Written]) -> Range<usize> {
    let start = range.start;
    let end = range.end.max(start);

    let after = written.partition_point(|it| it.old.end <= start);
    let new_start = match written.get(after) {
        Some(over) if over.old.start < start => over.new.start,
        _ => shifted(start, written.get(..after)),
    };
    let after = written.partition_point(|it| it.old.start < end);
    let new_end = match after.checked_sub(1).and_then(|last| written.get(last)) {
        Some(over) if over.old.end > end => over.new.end,
        _ => shifted(end, written.get(..after)),
    };
    // An empty part has its end before what was inserted there, and its start after that.
    new_start.min(new_end)..new_end
}

/// Where `offset` is after the edits that end at or before it.
fn shifted(offset: usize, before: Option<&[Written]>) -> usize {
    match before.and_then(<[Written]>::last) {
        Some(last) => last.new.end + (offset - last.old.end),
        None => offset,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The edits of each change as `(start, end, content)`; the expected text shows `!` in front
    /// of it for each refused change.
    #[track_caller]
    fn check(source: &str, changes: &[&[(usize, usize, &str)]], expected: &str) {
        let merged = merge(source, &tagged(changes), &[]);
        let refused = merged.accepted.iter().filter(|it| !**it).count();
        assert_eq!("!".repeat(refused) + &merged.text, expected);
    }

    /// The expected touched parts are `tag:text`.
    #[track_caller]
    fn check_touched(
        source: &str,
        changes: &[&[(usize, usize, &str)]],
        before: &[(usize, usize)],
        expected: &[&str],
    ) {
        let before: Vec<_> = before
            .iter()
            .map(|(start, end)| Touched {
                range: *start..*end,
                tag: 'z',
            })
            .collect();
        let merged = merge(source, &tagged(changes), &before);
        let actual: Vec<_> = merged
            .touched
            .iter()
            .map(|part| format!("{}:{}", part.tag, &merged.text[part.range.clone()]))
            .collect();
        assert_eq!(actual, expected, "in {:?}", merged.text);
    }

    #[test]
    fn a_line_that_is_indented_takes_no_new_lines_in_the_same_round() {
        // "if x:\n  f()\n  g()\n"
        let source = "if x:\n  f()\n  g()\n";
        let indents: &[(usize, usize, &str)] = &[(6, 6, "  "), (12, 12, "  ")];
        let breaks: &[(usize, usize, &str)] = &[(8, 8, "t = "), (11, 11, "\n  h(t)")];
        check(source, &[indents, breaks], "!if x:\n    f()\n    g()\n");
        check(
            source,
            &[breaks, indents],
            "!if x:\n  t = f()\n  h(t)\n  g()\n",
        );
        // Within a line nothing is lost.
        check(
            source,
            &[indents, &[(8, 8, "await ")]],
            "if x:\n    await f()\n    g()\n",
        );
        // Whole lines before it would be indented twice or not at all.
        check(
            source,
            &[indents, &[(12, 12, "  h()\n")]],
            "!if x:\n    f()\n    g()\n",
        );
        // Two that indent one line mean two levels.
        check(
            source,
            &[indents, &[(12, 12, "  ")]],
            "!if x:\n    f()\n    g()\n",
        );
        // Lines beside each other are not in the way.
        check(
            source,
            &[&[(6, 6, "  ")], &[(12, 12, "  ")]],
            "if x:\n    f()\n    g()\n",
        );
    }

    fn tagged(changes: &[&[(usize, usize, &str)]]) -> Vec<Change<char>> {
        let edit = |it: &(usize, usize, &str)| Edit::replace(it.0..it.1, it.2);
        changes
            .iter()
            .zip('a'..)
            .map(|(edits, tag)| Change {
                edits: edits.iter().map(edit).collect(),
                tag,
            })
            .collect()
    }

    #[test]
    fn refuses_edits_outside_the_text() {
        check("abc", &[&[(2, 4, "x")]], "!abc");
        check("abc", &[&[(4, 4, "x")]], "!abc");
        check("abc", &[&[(2, 1, "x")]], "!abc");
        check("abc", &[&[(usize::MAX, usize::MAX, "")]], "!abc");
    }

    #[test]
    fn refuses_edits_that_split_a_character() {
        check("é", &[&[(1, 1, "x")]], "!é");
        check("é", &[&[(0, 1, "x")]], "!é");
    }

    #[test]
    fn refuses_a_change_that_overlaps_itself() {
        check("abcd", &[&[(0, 2, "x"), (1, 3, "y")]], "!abcd");
        check("abcd", &[&[(0, 2, "x"), (0, 2, "x")]], "!abcd");
        check("abcd", &[&[(2, 2, "y"), (1, 3, "x")]], "!abcd");
    }

    #[test]
    fn refuses_what_overlaps_an_earlier_change() {
        check("abcd", &[&[(0, 2, "x")], &[(1, 3, "y")]], "!xcd");
        check("abcd", &[&[(1, 3, "x")], &[(0, 2, "y")]], "!axd");
        check("abcd", &[&[(1, 2, "x")], &[(0, 4, "y")]], "!axcd");
        check("abcd", &[&[(0, 4, "x")], &[(1, 2, "y")]], "!x");
        check("abcd", &[&[(0, 2, "x")], &[(0, 2, "y")]], "!xcd");
        check("abcd", &[&[(0, 2, "x")], &[(0, 3, "x")]], "!xcd");
    }

    #[test]
    fn refuses_an_insertion_inside_a_replaced_range() {
        check("abcd", &[&[(1, 3, "x")], &[(2, 2, "y")]], "!axd");
        check("abcd", &[&[(2, 2, "y")], &[(1, 3, "x")]], "!abycd");
        check("abcd", &[&[(1, 3, "")], &[(2, 2, "y")]], "!ad");
    }

    #[test]
    fn refuses_a_change_whole() {
        check(
            "abcd",
            &[&[(2, 3, "x")], &[(0, 0, "import\n"), (2, 3, "y")]],
            "!abxd",
        );
    }

    #[test]
    fn refuses_to_guess_which_of_two_wrappings_is_the_inner_one() {
        let outer: &[_] = &[(0, 0, "f("), (4, 4, ")")];
        check("a, b", &[outer, &[(3, 3, "g("), (4, 4, ")")]], "!f(a, b)");
        check("a, b", &[outer, &[(0, 0, "g("), (1, 1, ")")]], "!f(a, b)");
        check("a, b", &[outer, &[(4, 4, " + c")]], "!f(a, b)");
        check("a, b", &[&[(4, 4, " + c")], outer], "!a, b + c");
    }

    #[test]
    fn what_was_refused_claims_nothing() {
        check(
            "abcd",
            &[&[(0, 1, "x")], &[(0, 1, "y"), (2, 3, "y")], &[(2, 3, "z")]],
            "!xbzd",
        );
    }

    #[test]
    fn other_edits_may_lie_between_the_edits_of_a_change() {
        check(
            "abcd",
            &[&[(0, 0, "x"), (3, 4, "x")], &[(1, 2, "y")]],
            "xaycx",
        );
    }

    #[test]
    fn edits_may_stand_in_any_order() {
        check("abcd", &[&[(3, 4, "y"), (0, 1, "x")]], "xbcy");
    }

    #[test]
    fn adjacent_ranges_do_not_overlap() {
        check(
            "abcd",
            &[&[(1, 2, "x")], &[(2, 3, "y")], &[(0, 1, "")]],
            "xyd",
        );
    }

    #[test]
    fn insertions_at_the_ends_of_a_replaced_range_stay_outside() {
        check(
            "abc",
            &[&[(1, 2, "x")], &[(1, 1, "<")], &[(2, 2, ">")]],
            "a<x>c",
        );
        check(
            "abc",
            &[&[(1, 1, "<")], &[(2, 2, ">")], &[(1, 2, "x")]],
            "a<x>c",
        );
        check("abc", &[&[(1, 2, "x"), (1, 1, "("), (2, 2, ")")]], "a(x)c");
    }

    #[test]
    fn equal_edits_become_one() {
        let import = (0, 0, "import asyncio\n");
        check(
            "ab",
            &[&[import, (0, 1, "x")], &[import, (1, 2, "y")]],
            "import asyncio\nxy",
        );
        check("ab", &[&[(0, 1, "")], &[(0, 1, "")]], "b");
    }

    #[test]
    fn equal_insertions_of_one_change_stay_two() {
        check("ab", &[&[(1, 1, ")"), (1, 1, ")")]], "a))b");
    }

    #[test]
    fn insertions_at_one_offset_follow_precedence() {
        check(
            "ab",
            &[&[(1, 1, "y")], &[(1, 1, "x")], &[(1, 1, "z")]],
            "ayxzb",
        );
        check("ab", &[&[(1, 1, "y"), (1, 1, "x")]], "ayxb");
    }

    #[test]
    fn whole_lines_come_before_what_belongs_to_the_line() {
        check(
            "def f(): ...",
            &[
                &[(0, 0, "async "), (0, 0, "import a\n")],
                &[(0, 0, "import b\n"), (0, 0, "async ")],
            ],
            "import a\nimport b\nasync def f(): ...",
        );
    }

    #[test]
    fn new_lines_come_after_what_belongs_to_the_line() {
        check("a\nb", &[&[(1, 1, "\nx")], &[(1, 1, ";")]], "a;\nx\nb");
    }

    #[test]
    fn changes_without_effect_are_accepted() {
        check("ab", &[&[], &[(1, 1, "")], &[(0, 1, "a")]], "ab");
        check_touched("ab", &[&[], &[(1, 1, "")], &[(0, 1, "a")]], &[], &[]);
    }

    #[test]
    fn touched_parts_are_what_edits_wrote() {
        check_touched(
            "abc",
            &[&[(2, 3, "xy")], &[(0, 0, "z")]],
            &[],
            &["b:z", "a:xy"],
        );
        check_touched("abc", &[&[(1, 2, "")]], &[], &["a:"]);
    }

    #[test]
    fn touched_parts_leave_out_what_was_put_back() {
        check_touched("aéb\nc", &[&[(0, 5, "aè\nb\n")]], &[], &["a:è\n"]);
        check_touched("aaa", &[&[(0, 3, "aaaa")]], &[], &["a:a"]);
    }

    #[test]
    fn an_edit_asked_for_twice_is_touched_by_both() {
        check_touched("a", &[&[(0, 0, "x")], &[(0, 0, "x")]], &[], &["a:x", "b:x"]);
    }

    #[test]
    fn earlier_parts_move_with_their_text() {
        check_touched("abcd", &[&[(0, 1, "xyz")]], &[(2, 3)], &["a:xyz", "z:c"]);
        check_touched("abcd", &[&[(3, 4, "")]], &[(1, 2)], &["z:b", "a:"]);
    }

    #[test]
    fn earlier_parts_grow_by_what_is_written_over_or_into_them() {
        check_touched("abcd", &[&[(0, 2, "xy")]], &[(1, 3)], &["a:xy", "z:xyc"]);
        check_touched("abcd", &[&[(2, 4, "xy")]], &[(1, 3)], &["z:bxy", "a:xy"]);
        check_touched("abcd", &[&[(2, 2, "x")]], &[(1, 3)], &["z:bxc", "a:x"]);
        check_touched("abcd", &[&[(0, 4, "x")]], &[(1, 3)], &["z:x", "a:x"]);
        check_touched("abcd", &[&[(1, 3, "x")]], &[(2, 2)], &["z:x", "a:x"]);
        check_touched("abcd", &[&[(0, 4, "")]], &[(1, 3)], &["z:", "a:"]);
    }

    #[test]
    fn earlier_parts_do_not_grow_by_what_stands_beside_them() {
        check_touched(
            "abcd",
            &[&[(1, 1, "x"), (3, 3, "y")]],
            &[(1, 3)],
            &["a:x", "z:bc", "a:y"],
        );
        check_touched("ab", &[&[(1, 1, "x")]], &[(1, 1)], &["z:", "a:x"]);
        check_touched(
            "abc",
            &[&[(1, 2, "x")]],
            &[(1, 1), (2, 2)],
            &["z:", "a:x", "z:"],
        );
    }

    #[test]
    fn a_part_leads_back_to_what_it_was_made_from() {
        // "ab, cd, ef" -> "xyb, cd, N!ef"
        let changes: &[&[(usize, usize, &str)]] = &[&[(0, 1, "xy")], &[(8, 8, "N!")]];
        let merged = merge("ab, cd, ef", &tagged(changes), &[]);
        assert_eq!(merged.text, "xyb, cd, N!ef");
        let back = |part: &str| {
            let start = merged.text.find(part).unwrap();
            merged.origins.before(&(start..start + part.len()))
        };
        assert_eq!(back("cd"), 4..6);
        assert_eq!(back("ef"), 8..10);
        assert_eq!(back("y"), 0..1);
        assert_eq!(back("yb"), 0..2);
        assert_eq!(back("N"), 8..8);
        assert_eq!(back("!ef"), 8..10);
        assert_eq!(back(", N!e"), 6..9);
    }

    #[test]
    fn earlier_parts_outside_the_text_do_not_panic() {
        check_touched(
            "ab",
            &[&[(0, 1, "x")]],
            &[(9, 12), (2, 0)],
            &["a:x", "z:", "z:"],
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 128,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// The edits are the gaps between sorted offsets, taken in a random order.
        #[test]
        fn edits_that_do_not_overlap_are_all_applied(
            source in "[aé\n]{0,20}",
            cuts in prop::collection::btree_set(0..20usize, 0..10),
            contents in prop::collection::vec("[xè\n]{0,3}", 10),
            order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let cuts = cuts.into_iter().filter(|it| source.is_char_boundary(*it));
            let cuts: Vec<usize> = cuts.collect();
            let edits: Vec<Edit> = cuts.chunks_exact(2).zip(&contents)
                .map(|(cut, content)| Edit::replace(cut[0]..cut[1], content.as_str()))
                .collect();

            let mut naive = source.clone();
            for edit in edits.iter().rev() {
                naive.replace_range(edit.range.clone(), &edit.content);
            }
            let changes: Vec<_> = order.iter().filter_map(|index| edits.get(*index))
                .map(|edit| Change { edits: vec![edit.clone()], tag: edit.content.as_str() })
                .collect();
            let merged = merge(&source, &changes, &[]);
            prop_assert!(merged.accepted.iter().all(|it| *it));
            prop_assert_eq!(&merged.text, &naive);
            for offset in 0..merged.text.len() {
                let kept = merged.touched.iter().all(|it| !it.range.contains(&offset));
                let back = merged.origins.before(&(offset..offset + 1));
                if kept {
                    prop_assert_eq!(&merged.text.as_bytes()[offset..=offset], &source.as_bytes()[back]);
                }
            }
            for part in merged.touched {
                prop_assert!(part.tag.contains(&merged.text[part.range]));
            }
        }

        /// Whatever is asked for, the outcome is that of the accepted changes alone.
        #[test]
        fn refused_changes_leave_no_trace(
            source in "[aé\n]{0,12}",
            edits in prop::collection::vec(
                prop::collection::vec((0..14usize, 0..4usize, "[x(\n]{0,2}"), 0..3), 0..8,
            ),
            before in prop::collection::vec((0..14usize, 0..4usize), 0..4),
        ) {
            let changes: Vec<_> = edits.iter().enumerate().map(|(tag, edits)| Change {
                edits: edits.iter()
                    .map(|(start, len, text)| Edit::replace(*start..start + len, text.as_str()))
                    .collect(),
                tag,
            }).collect();
            let before: Vec<_> = before.iter()
                .map(|(start, len)| Touched { range: *start..start + len, tag: 99 })
                .collect();
            let merged = merge(&source, &changes, &before);
            let accepted: Vec<_> = changes.iter().zip(&merged.accepted)
                .filter(|(_, accepted)| **accepted)
                .map(|(change, _)| change.clone())
                .collect();
            let again = merge(&source, &accepted, &before);
            prop_assert!(again.accepted.iter().all(|it| *it));
            prop_assert_eq!(&again.text, &merged.text);
            prop_assert_eq!(&again.touched, &merged.touched);
            for part in merged.touched {
                prop_assert!(merged.text.as_bytes().get(part.range).is_some());
            }
        }
    }
}
