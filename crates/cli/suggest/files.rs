//! What a run found in its files, as it is to be proposed.

use std::collections::HashMap;
use std::ops::Range;

use edit::{Applicability, Change, Hunk, apply_hunks, hunks};
use engine::{Finding, Outcome, Taken};
use suggest::Group;

use crate::admission::Withheld;
use crate::page;
use crate::report::Failure;
use crate::report::spot::Spots;
use crate::run::Analysed;
use crate::source::Encoding;
use crate::unused;
use crate::verify::{self, Rewriting};

use super::PullRequest;

/// The files as they are to be proposed, as they are to be reported, and what went wrong.
pub fn files<'a>(
    pull_request: &PullRequest,
    analysed: Vec<Analysed<'a>>,
    rewriting: &Rewriting<'_, 'a>,
) -> (Vec<suggest::File>, Vec<Analysed<'a>>, Vec<Failure>) {
    let (mut files, mut reported, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for analysed in analysed {
        match Rewrites::new(analysed, rewriting) {
            Ok(rewrites) => {
                match file(pull_request, &rewrites, rewriting) {
                    Ok(file) => files.push(file),
                    Err(failure) => failures.push(failure),
                }
                reported.push(rewrites.whole);
            }
            Err(failure) => failures.push(failure),
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    (files, reported, failures)
}

/// What becomes of a file by all of its fixes.
struct Rewrites<'a> {
    /// As `--fix` writes it.
    whole: Analysed<'a>,
    /// The same with all imports, where that is another.
    kept: Option<Analysed<'a>>,
    /// Whether other files use the imports that nothing uses then.
    taken: HashMap<String, Taken>,
}

impl<'a> Rewrites<'a> {
    fn new(first: Analysed<'a>, rewriting: &Rewriting<'_, 'a>) -> Result<Self, Failure> {
        let taken = rewriting.taken(&first);
        if taken.is_empty() {
            return Ok(Self {
                whole: first,
                kept: None,
                taken,
            });
        }
        let whole = rewriting.rewrite(&first, &[], &|name| unused::taken(&taken, name))?;
        let kept = rewriting.rewrite(&first, &[], &|name| with_unused(&taken, name))?;
        let is_other = kept.rewritten.output != whole.rewritten.output;
        Ok(Self {
            whole,
            kept: is_other.then_some(kept),
            taken,
        })
    }
}

/// An import stays of which nobody knows whether other files use it.
fn with_unused(taken: &HashMap<String, Taken>, name: &str) -> Taken {
    match taken.get(name) {
        Some(Taken::Somewhere) => Taken::Somewhere,
        _ => Taken::Unknown,
    }
}

fn file<'a>(
    pull_request: &PullRequest,
    rewrites: &Rewrites<'a>,
    rewriting: &Rewriting<'_, 'a>,
) -> Result<suggest::File, Failure> {
    let analysed = &rewrites.whole;
    let (path, obstacle) = pull_request.place(analysed.file);
    let source = &analysed.source;
    let obstacle = obstacle.or(match source.encoding {
        Encoding::Utf8 | Encoding::Ascii => None,
        encoding => Some(format!("the file is written as {encoding}")),
    });
    let entry = analysed.entry();
    let spots = Spots::new(&entry);
    let plain = |finding: &Finding| plain(finding, analysed, &spots);
    let group = |it: Alone| Group {
        findings: it.findings.into_iter().map(plain).collect(),
        needed: it.needed,
        whole: it.whole,
    };
    let text = spots.file.as_str();
    let groups = groups(rewrites, text, rewriting)?;
    let apply = analysed.settings_apply();
    let is_withheld = |finding: &&Finding| match &finding.outcome {
        Outcome::Withheld(_) => true,
        Outcome::Fix(fix) => fix.applicability > apply,
    };
    let withheld = analysed.rewritten.findings.iter().filter(is_withheld);
    Ok(suggest::File {
        path,
        text: text.to_string(),
        obstacle,
        bom: source.bom,
        groups: groups.into_iter().map(group).collect(),
        all: changed(analysed, text),
        withheld: withheld.map(plain).collect(),
    })
}

/// A finding as it is told.
fn plain(finding: &Finding, analysed: &Analysed, spots: &Spots) -> suggest::Finding {
    let apply = analysed.settings_apply();
    let is_notebook = analysed.source.notebook.is_some();
    let place = || spots.place(finding.range.start).to_string();
    suggest::Finding {
        codemod: finding.codemod.name.to_string(),
        message: finding.message.clone(),
        rows: rows(finding, spots),
        place: is_notebook.then(place),
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
    }
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

/// The fixes of a file in groups, as small as they can be: what each does alone is what it does
/// beside the others.
fn groups<'f, 'a>(
    rewrites: &'f Rewrites<'a>,
    text: &str,
    rewriting: &Rewriting<'_, 'a>,
) -> Result<Vec<Alone<'f>>, Failure> {
    let analysed = &rewrites.whole;
    let findings = &analysed.rewritten.findings;
    let mut groups = verify::groups(findings, analysed.settings_apply());
    let together: Vec<&Finding> = groups.concat();
    let needed = changed(rewrites.kept.as_ref().unwrap_or(analysed), text);
    let wanted = apply_hunks(text, &needed);
    // Mostly the edits tell, and nobody has to be asked about types again.
    if groups.len() > 1
        && rewrites.kept.is_none()
        && let Some(alone) = of_edits(&groups, analysed, text)
        && clash(&alone).is_none()
        && made(&alone, text) == wanted
    {
        return Ok(alone);
    }
    while groups.len() > 1 {
        let mut alone = Vec::new();
        for group in &groups {
            alone.push(rewritten_alone(
                group, &together, rewrites, text, rewriting,
            )?);
        }
        match clash(&alone) {
            Some((one, other)) => {
                let merged = groups.remove(other);
                groups[one].extend(merged);
                groups[one].sort_by_key(|finding| finding.range.start);
            }
            None if made(&alone, text) == wanted => return Ok(alone),
            // They have to do with each other in a way that is not seen here.
            None => break,
        }
    }
    if together.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Alone {
        findings: together,
        needed,
        whole: changed(analysed, text),
    }])
}

/// The text with the lines that these groups need.
fn made(alone: &[Alone], text: &str) -> String {
    let mut hunks: Vec<&Hunk> = alone.iter().flat_map(|it| &it.needed).collect();
    hunks.sort_by_key(|it| it.rows.start);
    hunks.dedup();
    apply_hunks(text, hunks)
}

/// What each group does by the edits of its fixes; none where that takes more than one round.
fn of_edits<'f>(
    groups: &[Vec<&'f Finding>],
    analysed: &Analysed,
    text: &str,
) -> Option<Vec<Alone<'f>>> {
    let source = &analysed.source;
    let alone = |group: &Vec<&'f Finding>| {
        let change = |finding: &&Finding| match &finding.outcome {
            Outcome::Fix(fix) => Some(Change {
                edits: fix.edits.clone(),
                tag: (),
            }),
            Outcome::Withheld(_) => None,
        };
        let changes: Vec<Change<()>> = group.iter().filter_map(change).collect();
        let merged = edit::merge(&source.text, &changes, &[]);
        if !merged.accepted.iter().all(|it| *it) {
            return None;
        }
        let after = source.file_text(&merged.text).ok()?;
        let needed = hunks(text, after.as_str());
        Some(Alone {
            findings: group.clone(),
            whole: needed.clone(),
            needed,
        })
    };
    groups.iter().map(alone).collect()
}

/// Two groups that change the same lines in different ways; the first has the lower number.
fn clash(alone: &[Alone]) -> Option<(usize, usize)> {
    let meet = |one: &Hunk, other: &Hunk| one != other && one.meets(other);
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
    rewrites: &Rewrites<'a>,
    text: &str,
    rewriting: &Rewriting<'_, 'a>,
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
    let (all, taken) = (&rewrites.whole, &rewrites.taken);
    let kept = rewriting.rewrite(all, &withheld, &|name| with_unused(taken, name))?;
    let needed = changed(&kept, text);
    let whole = if rewrites.kept.is_some() {
        let taken = |name: &str| unused::taken(taken, name);
        changed(&rewriting.rewrite(all, &withheld, &taken)?, text)
    } else {
        needed.clone()
    };
    Ok(Alone {
        findings: group.to_vec(),
        needed,
        whole,
    })
}
