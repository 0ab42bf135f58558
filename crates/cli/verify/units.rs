//! Which fixes are applied or left out together: first all of a file, then those of it that have
//! to do with each other.

use edit::{Applicability, Edit};
use engine::{Finding, Outcome};

use super::search::Unit;

/// Groups of fixes of one file, by the file's number and their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixes {
    pub file: usize,
    pub groups: Vec<usize>,
}

impl Unit for Fixes {
    fn parts(&self) -> Vec<Self> {
        let part = |group: &usize| Self {
            file: self.file,
            groups: vec![*group],
        };
        self.groups.iter().map(part).collect()
    }
}

/// The findings with a fix that is applied, in groups, by position. Fixes of one group change the
/// same text, or one is inside of the other: without the one, the other would be another. Those
/// that only ask for the same import are apart.
pub fn groups(findings: &[Finding], apply: Applicability) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let Some(edits) = applied(finding, apply) else {
            continue;
        };
        let is_near = |other: &&Finding| {
            let others = applied(other, apply).unwrap_or_default();
            overlap(&finding.range, &other.range) || depend(edits, others)
        };
        let (near, mut rest): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|group| group.iter().any(is_near));
        let mut group = near.concat();
        group.push(finding);
        rest.push(group);
        groups = rest;
    }
    for group in &mut groups {
        group.sort_by_key(|finding| finding.range.start);
    }
    groups.sort_by_key(|group| group.first().map(|finding| finding.range.start));
    groups
}

fn applied(finding: &Finding, apply: Applicability) -> Option<&[Edit]> {
    match &finding.outcome {
        Outcome::Fix(fix) if fix.applicability <= apply => Some(&fix.edits),
        Outcome::Fix(_) | Outcome::Withheld(_) => None,
    }
}

fn depend(one: &[Edit], other: &[Edit]) -> bool {
    one.iter().any(|edit| {
        let touches = |it: &Edit| it != edit && overlap(&it.range, &edit.range);
        other.iter().any(touches)
    })
}

/// Whether they share a byte, or one is a place inside of the other.
fn overlap(one: &std::ops::Range<usize>, other: &std::ops::Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use edit::{Applicability, Edit, Fix};
    use engine::{Finding, Outcome, Severity};

    use super::groups;

    /// A finding at a place, with these edits.
    fn finding(range: std::ops::Range<usize>, edits: Vec<Edit>) -> Finding {
        Finding {
            codemod: codemods::ALL[0],
            range,
            message: String::new(),
            severity: Severity::Warning,
            outcome: Outcome::Fix(Fix {
                applicability: Applicability::Intended,
                edits,
            }),
        }
    }

    fn starts(findings: &[Finding]) -> Vec<Vec<usize>> {
        let groups = groups(findings, Applicability::Intended);
        let starts = |group: &Vec<&Finding>| group.iter().map(|it| it.range.start).collect();
        groups.iter().map(starts).collect()
    }

    #[test]
    fn fixes_of_the_same_text_are_together() {
        let import = || Edit::insert(0_usize, "import asyncio\n");
        let findings = [
            finding(10..20, vec![import(), Edit::delete(10..12)]),
            finding(30..50, vec![import(), Edit::insert(30_usize, "await ")]),
            finding(40..45, vec![Edit::delete(40..45)]),
            finding(60..70, vec![Edit::delete(11..13), Edit::delete(60..61)]),
            finding(80..90, vec![import(), Edit::insert(0_usize, "import b\n")]),
        ];
        assert_eq!(starts(&findings), [vec![10, 60], vec![30, 40], vec![80]]);
    }

    #[test]
    fn what_is_not_applied_is_in_no_group() {
        let mut findings = [finding(1..2, vec![]), finding(3..4, vec![])];
        findings[0].outcome = Outcome::Withheld(String::new());
        assert_eq!(starts(&findings), [[3]]);
        assert!(groups(&findings, Applicability::Safe).is_empty());
    }
}
