//! The loop: parse, index, ask, merge, apply, verify, again.

use std::cell::RefCell;
use std::ops::Range;

use edit::{Change, Fix, Merged, merge};
use python::ast::{Expr, ExprCall};
use python::{Module, Ranged, parse};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::codemod::Decide;
use crate::context::Context;
use crate::unused::unused_imports;
use crate::verify::verify;
use crate::{
    Codemod, Fault, Finding, On, Outcome, Refusal, Rewrite, Rewritten, Settings, UnusedImport,
};

/// A file needs a round for each level of sites inside sites, and one to see that it is done.
const MAX_ROUNDS: usize = 10;

/// Why a file could not be analysed.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// What the parser says, without a final stop.
    pub message: String,
    /// Where: byte offsets into the text.
    pub range: Range<usize>,
}

/// Rewrites the text of one Python file.
///
/// `source` is the file's text without a byte order mark. `may_remove` is asked, for each import
/// of the module that the rewrite leaves unused, by the name that it binds, whether it can be
/// removed: only the caller knows the other files. Pass `&|_| false` to keep them all;
/// [`Rewritten::unused_imports`] names them.
pub fn rewrite(
    source: &str,
    settings: &Settings,
    may_remove: &dyn Fn(&str) -> bool,
) -> Result<Rewritten, SyntaxError> {
    let mut run = Run {
        settings,
        codemods: settings.codemods.clone(),
        rewritten: Rewritten::default(),
    };
    let findings = run.ask(source).map_err(|problem| SyntaxError {
        message: problem.message,
        range: problem.range.into(),
    })?;
    run.rewritten.findings.clone_from(&findings);
    run.rewritten.remaining = findings;
    let mut text = source.to_string();
    let mut seen = FxHashSet::default();
    for _ in 0..MAX_ROUNDS {
        seen.insert(text.clone());
        let Some(next) = run.round(&text) else { break };
        if seen.contains(&next) {
            run.fault(None, "its fixes undo each other".to_string());
            return Ok(run.rewritten.as_given());
        }
        match run.ask(&next) {
            Ok(findings) => run.rewritten.remaining = findings,
            // It was verified, so it parses.
            Err(_) => break,
        }
        text = next;
    }
    run.remove_imports(source, &mut text, may_remove);
    if text != source {
        run.rewritten.output = Some(text);
    }
    Ok(run.rewritten)
}

struct Run<'s> {
    settings: &'s Settings,
    /// The selected codemods, less those that were found at fault in this file.
    codemods: Vec<&'static Codemod>,
    rewritten: Rewritten,
}

impl Run<'_> {
    /// What the codemods say of `text`, by position.
    fn ask(&self, text: &str) -> Result<Vec<Finding>, python::Problem> {
        let parsed = parse(text)?;
        let module = Module::new(text, &parsed);
        let drawn = RefCell::default();
        let mut findings: Vec<Finding> = sites(&module, &self.codemods)
            .into_iter()
            .filter_map(|(codemod, call, decide)| {
                let context = Context {
                    module: &module,
                    settings: self.settings,
                    codemod,
                    drawn: &drawn,
                };
                self.finding(codemod, call, decide(&context, call))
            })
            .collect();
        findings.sort_by_key(|finding| (finding.range.start, finding.range.end));
        Ok(findings)
    }

    fn finding(
        &self,
        codemod: &'static Codemod,
        call: &ExprCall,
        verdict: Result<Rewrite, Refusal>,
    ) -> Option<Finding> {
        let (message, outcome) = match verdict {
            Ok(rewrite) => {
                let needed = rewrite.python.unwrap_or(codemod.python).max(codemod.python);
                let outcome = if needed > self.settings.target.version {
                    Outcome::Withheld(format!(
                        "the result needs Python {needed} and the target is {} ({}): set --target-version if older versions need not be supported",
                        self.settings.target.version, self.settings.target.origin
                    ))
                } else {
                    let mut edits = rewrite.edits;
                    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
                    Outcome::Fix(Fix {
                        applicability: rewrite.applicability,
                        edits,
                    })
                };
                (rewrite.message, outcome)
            }
            Err(Refusal::Withheld(reason)) => {
                (codemod.summary().to_string(), Outcome::Withheld(reason))
            }
            Err(Refusal::NotOurs) => return None,
        };
        Some(Finding {
            codemod,
            range: call.range().into(),
            message,
            outcome,
        })
    }

    /// Applies what is to be applied to `text`; none where that is nothing.
    fn round(&mut self, text: &str) -> Option<String> {
        loop {
            let changes = self.changes(&self.codemods);
            let merged = merge(text, &changes, &self.rewritten.touched);
            if merged.text == text {
                return None;
            }
            let Err(problem) = self.verified(text, &merged.text) else {
                self.count(&changes, &merged);
                self.rewritten.touched = merged.touched;
                return Some(merged.text);
            };
            // Somebody's fix is wrong. Whoever fails alone is left out; where nobody does, the
            // fixes do not go together, and the last in precedence yields.
            let blamed = self.codemods.iter().copied().find_map(|codemod| {
                let alone = merge(text, &self.changes(&[codemod]), &self.rewritten.touched);
                let problem = self.verified(text, &alone.text).err()?;
                Some((codemod, problem))
            });
            let last = self
                .codemods
                .iter()
                .copied()
                .rfind(|codemod| !self.changes(&[codemod]).is_empty());
            let (codemod, problem) = blamed.or(last.map(|codemod| (codemod, problem)))?;
            self.fault(Some(codemod), problem);
            self.codemods.retain(|other| other.name != codemod.name);
            self.rewritten
                .remaining
                .retain(|finding| finding.codemod.name != codemod.name);
        }
    }

    /// The fixes that are to be applied, by precedence and then position.
    fn changes(&self, codemods: &[&'static Codemod]) -> Vec<Change<&'static str>> {
        let mut changes = Vec::new();
        for codemod in codemods {
            for finding in &self.rewritten.remaining {
                if let Outcome::Fix(fix) = &finding.outcome
                    && finding.codemod.name == codemod.name
                    && fix.applicability <= self.settings.apply
                {
                    changes.push(Change {
                        edits: fix.edits.clone(),
                        tag: codemod.name,
                    });
                }
            }
        }
        changes
    }

    fn verified(&self, before: &str, after: &str) -> Result<(), String> {
        verify(before, after, self.settings.target.version)
    }

    fn count(&mut self, changes: &[Change<&'static str>], merged: &Merged<&'static str>) {
        let mut fixes = FxHashMap::default();
        for (change, accepted) in changes.iter().zip(&merged.accepted) {
            *fixes.entry(change.tag).or_insert(0) += usize::from(*accepted);
        }
        for codemod in &self.codemods {
            let number = fixes.get(codemod.name).copied().unwrap_or(0);
            let known = self
                .rewritten
                .applied
                .iter_mut()
                .find(|(known, _)| known.name == codemod.name);
            match known {
                Some((_, total)) => *total += number,
                None if number > 0 => self.rewritten.applied.push((codemod, number)),
                None => {}
            }
        }
    }

    fn fault(&mut self, codemod: Option<&'static Codemod>, problem: String) {
        if let Some(codemod) = codemod.or_else(|| self.codemods.first().copied()) {
            self.rewritten.faults.push(Fault { codemod, problem });
        }
    }

    /// Removes the imports that the rewrite left unused, as far as that is allowed.
    fn remove_imports(
        &mut self,
        source: &str,
        text: &mut String,
        may_remove: &dyn Fn(&str) -> bool,
    ) {
        if *text == source {
            return;
        }
        let (Ok(before), Ok(after)) = (parse(source), parse(text)) else {
            return;
        };
        let (before, after) = (Module::new(source, &before), Module::new(text, &after));
        let mut changes = Vec::new();
        for unused in unused_imports(&before, &after) {
            if unused.is_global && (self.settings.is_package || !may_remove(&unused.name)) {
                if !self.settings.is_package {
                    self.rewritten
                        .unused_imports
                        .push(UnusedImport { name: unused.name });
                }
                continue;
            }
            let tag = self
                .rewritten
                .applied
                .first()
                .map(|(codemod, _)| codemod.name);
            changes.push(Change {
                edits: vec![unused.removal],
                tag: tag.unwrap_or_default(),
            });
        }
        let merged = merge(text, &changes, &self.rewritten.touched);
        if merged.text != *text && self.verified(text, &merged.text).is_ok() {
            self.rewritten.touched = merged.touched;
            *text = merged.text;
            if let Ok(findings) = self.ask(text) {
                self.rewritten.remaining = findings;
            }
        }
    }
}

impl Rewritten {
    /// The same findings with nothing applied.
    fn as_given(self) -> Self {
        Self {
            remaining: self.findings.clone(),
            findings: self.findings,
            faults: self.faults,
            ..Self::default()
        }
    }
}

/// The calls that codemods start from, with who asks and how; by position, then precedence.
fn sites<'a>(
    module: &Module<'a>,
    codemods: &[&'static Codemod],
) -> Vec<(&'static Codemod, &'a ExprCall, Decide)> {
    let mut names: FxHashMap<&'static str, Vec<(&'static Codemod, Decide)>> = FxHashMap::default();
    let mut methods = names.clone();
    for codemod in codemods {
        let On::Call(starts, decide) = codemod.on;
        for start in starts {
            match start.strip_prefix('.') {
                Some(method) => methods.entry(method).or_default().push((codemod, decide)),
                None => names.entry(start).or_default().push((codemod, decide)),
            }
        }
    }
    let mut last_parts: FxHashSet<&'static str> = FxHashSet::default();
    last_parts.extend(names.keys().filter_map(|name| name.rsplit('.').next()));
    let mut sites: Vec<(&'static Codemod, &'a ExprCall, Decide)> = Vec::new();
    for call in module.calls() {
        let first = sites.len();
        let named = match &*call.func {
            Expr::Attribute(attribute) => {
                if let Some(asking) = methods.get(attribute.attr.as_str()) {
                    sites.extend(
                        asking
                            .iter()
                            .map(|(codemod, decide)| (*codemod, *call, *decide)),
                    );
                }
                last_parts.contains(attribute.attr.as_str())
            }
            // Whatever it is called here, the import tells what it is.
            Expr::Name(_) => true,
            _ => false,
        };
        if named
            && let Some(name) = module.qualified_name(&call.func)
            && let Some(asking) = names.get(name.as_str())
        {
            for (codemod, decide) in asking {
                let known = sites[first..]
                    .iter()
                    .any(|(other, ..)| other.name == codemod.name);
                if !known {
                    sites.push((codemod, call, *decide));
                }
            }
        }
    }
    sites
}
