//! Which lines of a file a group of fixes is proposed by, if it can be.

use edit::Hunk;

use crate::diff::DiffFile;
use crate::input::{File, Group};
use crate::markdown::lines;
use crate::plan::Limits;

/// What is proposed of a group.
pub enum Choice<'a> {
    /// These lines: the whole of it, or without the imports that it leaves unused.
    Proposed(&'a [Hunk]),
    /// Nothing, for a reason that completes "is not suggested: ".
    Refused(String),
}

/// What is proposed of each group: all of its lines, or none, for half a fix is a wrong program.
/// Of imports that it leaves unused it may be without.
pub fn choose<'a>(file: &'a File, diff: Option<&DiffFile>, limits: &Limits) -> Vec<Choice<'a>> {
    let sieve = Sieve::new(file, diff, limits);
    let mut choices: Vec<Choice> = file.groups.iter().map(|it| sieve.choice(it)).collect();
    // Two groups may take different names out of the same import.
    for index in 0..choices.len() {
        if collides(&choices, index)
            && let Some(group) = file.groups.get(index)
        {
            choices[index] = sieve.of_needed(group);
        }
    }
    for index in 0..choices.len() {
        if collides(&choices, index) {
            choices[index] = Choice::Refused("another fix changes the same lines".to_string());
        }
    }
    choices
}

/// Whether the group shares rows with another, which are to become something else there.
fn collides(choices: &[Choice], index: usize) -> bool {
    let of = |index: usize| match choices.get(index) {
        Some(Choice::Proposed(hunks)) => *hunks,
        _ => &[],
    };
    let others = (0..choices.len()).filter(|other| *other != index);
    others
        .flat_map(of)
        .any(|other| of(index).iter().any(|it| it.meets(other) && it != other))
}

/// What can be anchored in a file.
pub struct Sieve<'a> {
    file: &'a File,
    diff: Option<&'a DiffFile>,
    limits: &'a Limits,
    /// The line break of all lines, if it is one.
    ending: Option<&'static str>,
}

impl<'a> Sieve<'a> {
    pub fn new(file: &'a File, diff: Option<&'a DiffFile>, limits: &'a Limits) -> Self {
        Self {
            file,
            diff,
            limits,
            ending: ending(&file.text),
        }
    }

    fn choice<'g>(&self, group: &'g Group) -> Choice<'g> {
        match self.refusal(&group.whole) {
            None => Choice::Proposed(&group.whole),
            Some(_) => self.of_needed(group),
        }
    }

    fn of_needed<'g>(&self, group: &'g Group) -> Choice<'g> {
        match self.refusal(&group.needed) {
            None => Choice::Proposed(&group.needed),
            Some(reason) => Choice::Refused(reason),
        }
    }

    fn refusal(&self, hunks: &[Hunk]) -> Option<String> {
        if let Some(obstacle) = &self.file.obstacle {
            return Some(obstacle.clone());
        }
        let Some(diff) = self.diff else {
            return Some("the pull request does not change this file".to_string());
        };
        let is_hidden = |hunk: &&Hunk| !diff.shows(&hunk.rows);
        let hidden: Vec<usize> = hunks
            .iter()
            .filter(is_hidden)
            .map(|it| it.rows.start)
            .collect();
        if !hidden.is_empty() {
            let is = if hidden.len() == 1 { "is" } else { "are" };
            let lines = lines(&hidden);
            return Some(format!("{lines} {is} not in the diff of the pull request"));
        }
        hunks.iter().find_map(|hunk| self.unsaid(hunk))
    }

    /// Whether a suggestion of these lines can be made.
    pub fn takes(&self, hunk: &Hunk) -> bool {
        self.refusal(std::slice::from_ref(hunk)).is_none()
    }

    /// Why a service would apply it wrongly.
    fn unsaid(&self, hunk: &Hunk) -> Option<String> {
        let Some(ending) = self.ending else {
            return Some("the lines of the file do not all end alike".to_string());
        };
        if self.file.bom && hunk.rows.start == 1 {
            return Some("line 1 holds the byte order mark of the file".to_string());
        }
        let is_last = hunk.range.end == self.file.text.len();
        if hunk
            .content
            .split_inclusive('\n')
            .any(|it| it.ends_with('\n') && it.ends_with("\r\n") != (ending == "\r\n"))
            || is_last && hunk.content.ends_with('\n')
        {
            return Some("it changes how a line ends".to_string());
        }
        if hunk.content.len() > LARGE {
            return Some("it is too large for a comment".to_string());
        }
        let most = self.limits.rows;
        (hunk.rows.len() > most)
            .then(|| format!("it replaces more than {most} lines, which a comment cannot"))
    }
}

/// The bytes that a suggestion may have: comments of GitHub have up to 65536 characters.
pub const LARGE: usize = 50_000;

/// How all lines of a text end; none where they end in different ways, or at `\r` alone, which
/// ends a line for Python, and none for a service.
fn ending(text: &str) -> Option<&'static str> {
    let newlines = text.matches('\n').count();
    let returns = text.matches('\r').count();
    let both = text.matches("\r\n").count();
    if returns == 0 {
        Some("\n")
    } else if both == newlines && both == returns {
        Some("\r\n")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn lines_end_in_one_way_or_in_none() {
        assert_eq!(ending("a\nb"), Some("\n"));
        assert_eq!(ending("a\r\nb"), Some("\r\n"));
        for mixed in ["a\r\nb\n", "a\rb\n", "a\rb", "a\r\nb\r"] {
            assert_eq!(ending(mixed), None, "{mixed:?}");
        }
    }
}
