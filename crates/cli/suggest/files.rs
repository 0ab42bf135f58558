//! What a run found in its files, as it is to be proposed.

use std::ops::Range;

use edit::{Applicability, Hunk, apply_hunks, hunks};
use engine::{Finding, Outcome};
use suggest::Group;

use crate::admission::Withheld;
use crate::page;
use crate::report::Failure;
use crate::report::spot::Spots;
use crate::run::Analysed;
use crate::source::Encoding;
use crate::verify::{self, Rewriting};

use super::PullRequest;

/// The files, and what went wrong.
pub fn files<'a>(
    pull_request: &PullRequest,
    analysed: &[Analysed<'a>],
    mut rewriting: Rewriting<'_, 'a>,
) -> (Vec<suggest::File>, Vec<Failure>) {
    let mut files = Vec::new();
    let mut failures = Vec::new();
    for analysed in analysed {
        match file(pull_request, analysed, &mut rewriting) {
            Ok(file) => files.push(file),
            Err(failure) => failures.push(failure),
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    (files, failures)
}

fn file<'a>(
    pull_request: &PullRequest,
    analysed: &Analysed<'a>,
    rewriting: &mut Rewriting<'_, 'a>,
) -> Result<suggest::File, Failure> {
    let (path, obstacle) = pull_request.place(analysed.file);
    let source = &analysed.source;
    let obstacle = obstacle.or(match source.encoding {
        Encoding::Utf8 | Encoding::Ascii => None,
        encoding => Some(format!("the file is written as {encoding}")),
    });
    let entry = analysed.entry();
    let spots = Spots::new(&entry);
    let apply = analysed.settings_apply();
    let plain = |finding: &Finding| suggest::Finding {
        codemod: finding.codemod.name.to_string(),
        message: finding.message.clone(),
        rows: rows(finding, &spots),
        place: source
            .notebook
            .is_some()
            .then(|| spots.place(finding.range.start).to_string()),
        effect: finding.codemod.effect().to_string(),
        url: page::url(finding.codemod),
        outcome: match &finding.outcome {
            Outcome::Withheld(reason) => suggest::Outcome::Withheld(reason.clone()),
            Outcome::Fix(fix) if fix.applicability > apply => {
                suggest::Outcome::Withheld(match fix.applicability {
                    Applicability::Unsafe => {
                        "its fix is unsafe, and suggested with `--unsafe-fixes` only".to_string()
                    }
                    other => format!("its fix is {}, and not only safe", other.as_str()),
                })
            }
            Outcome::Fix(fix) => suggest::Outcome::Fix {
                applicability: fix.applicability,
                why: page::why(finding.codemod, fix.applicability),
            },
        },
    };
    let findings = &analysed.rewritten.findings;
    let is_withheld = |finding: &&Finding| match &finding.outcome {
        Outcome::Withheld(_) => true,
        Outcome::Fix(fix) => fix.applicability > apply,
    };
    let text = spots.file.as_str();
    let all = rewriting.without(analysed, &[])?;
    let groups = Groups::new(analysed, text, rewriting)?;
    let group = |it: Alone| Group {
        findings: it.findings.into_iter().map(plain).collect(),
        needed: it.needed,
        whole: it.whole,
    };
    Ok(suggest::File {
        path,
        text: text.to_string(),
        obstacle,
        bom: source.bom,
        groups: groups.alone.into_iter().map(group).collect(),
        all: changed(&all, text),
        withheld: findings.iter().filter(is_withheld).map(plain).collect(),
    })
}

fn rows(finding: &Finding, spots: &Spots) -> Range<usize> {
    let Range { start, end } = finding.range;
    let last = end.saturating_sub(1).max(start);
    spots.at(start).row..spots.at(last).row + 1
}

/// The lines of the file that a rewrite replaces.
fn changed(analysed: &Analysed, text: &str) -> Vec<Hunk> {
    let output = analysed.rewritten.output.as_deref();
    let after = output.and_then(|output| analysed.source.file_text(output).ok());
    after.map_or_else(Vec::new, |after| hunks(text, after.as_str()))
}

/// Fixes that go together, and what the file becomes by them alone.
struct Alone<'f> {
    findings: Vec<&'f Finding>,
    needed: Vec<Hunk>,
    whole: Vec<Hunk>,
}

struct Groups<'f> {
    alone: Vec<Alone<'f>>,
}

impl<'f> Groups<'f> {
    /// As small as they can be: what each does alone is what it does beside the others.
    fn new<'a>(
        analysed: &'f Analysed<'a>,
        text: &str,
        rewriting: &mut Rewriting<'_, 'a>,
    ) -> Result<Self, Failure> {
        let findings = &analysed.rewritten.findings;
        let apply = analysed.settings_apply();
        let mut groups = verify::groups(findings, apply);
        let together: Vec<&Finding> = groups.concat();
        let wanted = changed(&rewriting.keeping_imports(analysed, &[])?, text);
        let wanted = apply_hunks(text, &wanted);
        loop {
            let mut alone = Vec::new();
            for group in &groups {
                alone.push(rewritten_alone(
                    group, &together, analysed, text, rewriting,
                )?);
            }
            let Some((one, other)) = clash(&alone) else {
                let mut made: Vec<&Hunk> = alone.iter().flat_map(|it| &it.needed).collect();
                made.sort_by_key(|it| it.rows.start);
                made.dedup();
                if groups.len() <= 1 || apply_hunks(text, made) == wanted {
                    return Ok(Self { alone });
                }
                // They have to do with each other in a way that is not seen here.
                groups = vec![together.clone()];
                continue;
            };
            let merged = groups.remove(other);
            groups[one].extend(merged);
            groups[one].sort_by_key(|finding| finding.range.start);
        }
    }
}

/// Two groups that change the same lines in different ways; the first has the lower number.
fn clash(alone: &[Alone]) -> Option<(usize, usize)> {
    let meet = |one: &Hunk, other: &Hunk| {
        one != other && one.rows.start < other.rows.end && other.rows.start < one.rows.end
    };
    (0..alone.len()).find_map(|one| {
        let clashes = |other: &usize| {
            let mut others = alone[*other].needed.iter();
            others.any(|it| alone[one].needed.iter().any(|own| meet(own, it)))
        };
        (one + 1..alone.len())
            .find(clashes)
            .map(|other| (one, other))
    })
}

fn rewritten_alone<'f, 'a>(
    group: &[&'f Finding],
    together: &[&'f Finding],
    analysed: &Analysed<'a>,
    text: &str,
    rewriting: &mut Rewriting<'_, 'a>,
) -> Result<Alone<'f>, Failure> {
    let is_other = |finding: &&&Finding| !group.iter().any(|own| std::ptr::eq(*own, **finding));
    let withheld: Vec<Withheld> = together
        .iter()
        .filter(is_other)
        .map(|finding| Withheld {
            codemod: finding.codemod.name,
            range: finding.range.clone(),
            reason: "another suggestion".to_string(),
        })
        .collect();
    Ok(Alone {
        findings: group.to_vec(),
        needed: changed(&rewriting.keeping_imports(analysed, &withheld)?, text),
        whole: changed(&rewriting.without(analysed, &withheld)?, text),
    })
}
