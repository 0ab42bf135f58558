//! The loop: parse, index, ask, merge, apply, verify, again.

use std::cell::RefCell;
use std::ops::Range;

use edit::{Applicability, Change, Fix, Merged, Origins, Touched, merge};
use python::ast::{AnyNodeRef, Expr, ExprCall, NodeKind, PythonVersion};
use python::{Module, Problem, Ranged};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::admission::{Everything, admitted};
use crate::apart::keep_apart;
use crate::cells;
use crate::codemod::{Decide, DecideNode};
use crate::context::Context;
use crate::keeping;
use crate::meaning::Meaning;
use crate::memory::Memory;
use crate::severity::severity;
use crate::suppression::{Suppressions, silence_all};
use crate::text::Text;
use crate::unused::{has_unread_import, unused_imports};
use crate::verify::verify;
use crate::{
    Admission, Applied, Asking, Codemod, Fault, Finding, On, Outcome, Refusal, Rewrite, Rewritten,
    Settings, UnusedImport, Verdict,
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

/// Whoever has a text rewritten: what only the caller knows, and what only it decides.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Who knows what lies outside of the module.
    pub asking: Asking<'a>,
    /// Whether another file takes from the module what one of its imports binds to this name. Where
    /// none does, an import goes that the rewrite leaves unused; [`Rewritten::unused_imports`] names
    /// those that stay.
    pub taken: &'a dyn Fn(&str) -> Taken,
    /// Which findings count.
    pub admission: &'a dyn Admission,
}

/// Whether another file takes a name from a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// No file does.
    Nowhere,
    /// One may.
    Somewhere,
    /// Nobody has looked.
    Unknown,
}

impl Host<'_> {
    /// A caller that has no other file and wants all that is found: unused imports go.
    pub const ALONE: Host<'static> = Host {
        asking: Asking::Nobody,
        taken: &|_| Taken::Nowhere,
        admission: &Everything,
    };
}

/// Rewrites the text of one Python file.
///
/// `source` is the file's text without a byte order mark. `host` answers for what is not in it.
pub fn rewrite(
    source: &str,
    settings: &Settings,
    host: Host<'_>,
) -> Result<Rewritten, SyntaxError> {
    let mut run = Run {
        settings,
        host,
        origins: Vec::new(),
        codemods: settings.codemods.clone(),
        has_unread_import: false,
        rewritten: Rewritten::default(),
    };
    let original = run.parse(source.to_string())?;
    let Some(findings) = run.ask(&original) else {
        original.parsed.forget();
        return Err(SyntaxError::too_deep());
    };
    let Rewritten {
        suppressions,
        remaining_suppressions,
        ..
    } = &mut run.rewritten;
    suppressions.clone_from(remaining_suppressions);
    run.rewritten.findings.clone_from(&findings);
    run.rewritten.remaining = findings;
    if run.rewritten.undecided {
        return Ok(run.rewritten);
    }
    let mut seen: FxHashSet<String> = FxHashSet::default();
    let mut current: Option<Text> = None;
    let is_fixed = settings.silence.as_ref().is_none_or(|it| it.after_fixes);
    let rounds = if is_fixed { MAX_ROUNDS } else { 0 };
    let mut is_settled = false;
    for _ in 0..rounds {
        let text = current.as_ref().unwrap_or(&original);
        let Some(next) = run.round(text) else {
            // An import that goes may leave the file to another library, and so to others.
            let Some(text) = current.take() else { break };
            let length = text.source.len();
            let text = run.remove_imports(&original, text);
            is_settled = text.source.len() == length;
            current = Some(text);
            if is_settled {
                break;
            }
            continue;
        };
        seen.insert(text.source.clone());
        if seen.contains(&next.source) {
            run.fault(None, "its fixes undo each other".to_string());
            return Ok(run.rewritten.nothing_applied());
        }
        // It is hardly deeper than what it was made from.
        run.rewritten.remaining = run.ask(&next).unwrap_or_default();
        current = Some(next);
    }
    let settled = match current {
        Some(text) if !is_settled => Some(run.remove_imports(&original, text)),
        settled => settled,
    };
    let Some(output) = settled.or(settings.silence.is_some().then_some(original)) else {
        return Ok(run.rewritten);
    };
    let output = run.silenced(output).source;
    run.rewritten.output = (output != source).then_some(output);
    Ok(run.rewritten)
}

/// Whether [`rewrite`] could analyse the text of a module; finds nothing.
pub fn check(source: &str, settings: &Settings) -> Result<(), SyntaxError> {
    let text = Text::new(source.to_string(), settings.target.version)?;
    if text.parsed.is_too_deep() {
        text.parsed.forget();
        return Err(SyntaxError::too_deep());
    }
    Ok(())
}

impl SyntaxError {
    fn too_deep() -> Self {
        Self {
            message: "it is nested too deeply".to_string(),
            range: 0..0,
        }
    }
}

impl From<Problem> for SyntaxError {
    fn from(problem: Problem) -> Self {
        Self {
            message: problem.message,
            range: problem.range.into(),
        }
    }
}

struct Run<'s> {
    settings: &'s Settings,
    host: Host<'s>,
    /// Of the rounds so far.
    origins: Vec<Origins>,
    /// The selected codemods, less those that were found at fault in this file.
    codemods: Vec<&'static Codemod>,
    /// Whether the text that was asked about last has an import that nothing reads.
    has_unread_import: bool,
    rewritten: Rewritten,
}

impl Run<'_> {
    fn parse(&self, source: String) -> Result<Text, Problem> {
        let version = self.settings.target.version;
        if self.settings.is_notebook {
            Text::of_notebook(source, version)
        } else {
            Text::new(source, version)
        }
    }

    /// What the codemods say of `text`, by position; nothing if it is nested too deeply.
    fn ask(&mut self, text: &Text) -> Option<Vec<Finding>> {
        let module = text.module();
        self.has_unread_import = has_unread_import(&module);
        if module.is_too_deep() {
            return None;
        }
        let sites = sites(&module, &self.codemods);
        let meaning = Meaning::new(self.host.asking, self.host.taken);
        let (mut findings, undecided) =
            meaning.settle(&text.source, || self.findings(&module, &sites, &meaning));
        self.rewritten.undecided |= undecided;
        let suppressions = Suppressions::of(&module);
        findings.retain(|finding| !suppressions.silence(finding));
        self.rewritten.remaining_suppressions = suppressions.ours();
        let admission = self.host.admission;
        Some(admitted(admission, &text.source, findings, &self.origins))
    }

    /// What the codemods say, with what is known so far.
    fn findings<'a>(
        &self,
        module: &Module<'a>,
        sites: &[(&'static Codemod, Site<'a>)],
        meaning: &Meaning<'_>,
    ) -> Vec<Finding> {
        let drawn = RefCell::default();
        let memory = Memory::default();
        let mut findings: Vec<Finding> = sites
            .iter()
            .filter_map(|&(codemod, site)| {
                let context = Context {
                    module,
                    settings: self.settings,
                    codemod,
                    meaning,
                    drawn: &drawn,
                    memory: &memory,
                };
                self.finding(codemod, module, site, site.decide(&context))
            })
            .collect();
        findings.sort_by_key(|finding| (finding.range.start, finding.range.end));
        findings
    }

    fn finding(
        &self,
        codemod: &'static Codemod,
        module: &Module<'_>,
        site: Site<'_>,
        verdict: Verdict,
    ) -> Option<Finding> {
        let (message, outcome) = match verdict {
            Ok(rewrite) => {
                let mut needed = rewrite.python.unwrap_or(codemod.python).max(codemod.python);
                if awaits(&rewrite) && is_in_decorator(module, site.node()) {
                    needed = needed.max(PythonVersion::PY39); // it was a dotted name until then
                }
                let outcome = if needed > self.settings.target.version {
                    Outcome::Withheld(format!(
                        "the result needs Python {needed} and the target is {} ({}): set --target-version if older versions need not be supported",
                        self.settings.target.version, self.settings.target.origin
                    ))
                } else {
                    let mut edits = rewrite.edits;
                    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
                    keep_apart(module.source(), &mut edits);
                    let reach = cells::reach(module, site.node(), &edits).map(str::to_string);
                    match reach.or_else(|| keeping::loss(module, &edits)) {
                        Some(reason) => Outcome::Withheld(reason),
                        None => Outcome::Fix(Fix {
                            applicability: rewrite.applicability,
                            edits,
                        }),
                    }
                };
                (rewrite.message, outcome)
            }
            Err(Refusal::Withheld(reason)) => {
                (codemod.title().to_string(), Outcome::Withheld(reason))
            }
            Err(Refusal::NotOurs) => return None,
        };
        let outcome = match outcome {
            Outcome::Withheld(reason) => Outcome::Withheld(in_one_line(reason)),
            fix @ Outcome::Fix(_) => fix,
        };
        Some(Finding {
            codemod,
            range: site.range(module),
            message: in_one_line(message),
            severity: severity(module, codemod, site.node(), self.settings.target.version),
            outcome,
        })
    }

    /// Applies what is to be applied to `text`; none where that is nothing.
    fn round(&mut self, text: &Text) -> Option<Text> {
        loop {
            let changes = self.changes(&self.codemods);
            if changes.is_empty() {
                return None;
            }
            let merged = merge_changes(&text.source, &changes, &self.rewritten.touched);
            if merged.text == text.source {
                return None;
            }
            let problem = match self.verified(text, merged.text) {
                Ok(next) => {
                    self.count(&merged.accepted);
                    self.rewritten.touched = merged.touched;
                    self.origins.push(merged.origins);
                    return Some(next);
                }
                Err(problem) => problem,
            };
            // Somebody's fix is wrong. Whoever fails alone is left out; where nobody does, the
            // fixes do not go together, and the last in precedence yields.
            let blamed = self.codemods.iter().copied().find_map(|codemod| {
                let alone = merge_changes(&text.source, &self.changes(&[codemod]), &[]);
                let problem = self.verified(text, alone.text).err()?;
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
    fn fixes(&self, codemods: &[&'static Codemod]) -> Vec<(&'static Codemod, &Fix)> {
        let mut fixes = Vec::new();
        for codemod in codemods {
            for finding in &self.rewritten.remaining {
                if let Outcome::Fix(fix) = &finding.outcome
                    && finding.codemod.name == codemod.name
                    && fix.applicability <= self.settings.apply
                {
                    fixes.push((*codemod, fix));
                }
            }
        }
        fixes
    }

    fn changes(&self, codemods: &[&'static Codemod]) -> Vec<Change<&'static str>> {
        let change = |(codemod, fix): (&'static Codemod, &Fix)| Change {
            edits: fix.edits.clone(),
            tag: codemod.name,
        };
        self.fixes(codemods).into_iter().map(change).collect()
    }

    /// The tree of `after`, if it passes verification.
    fn verified(&self, before: &Text, after: String) -> Result<Text, String> {
        let after = self
            .parse(after)
            .map_err(|problem| format!("the result does not parse: {}", problem.message))?;
        verify(before, &after, self.settings.target.version)?;
        Ok(after)
    }

    /// Counts the fixes that were accepted, by their places in [`Self::fixes`].
    fn count(&mut self, accepted: &[bool]) {
        let kinds: Vec<(&'static Codemod, Applicability)> = self
            .fixes(&self.codemods)
            .into_iter()
            .zip(accepted)
            .filter(|(_, accepted)| **accepted)
            .map(|((codemod, fix), _)| (codemod, fix.applicability))
            .collect();
        for (codemod, applicability) in kinds {
            let known = self.rewritten.applied.iter_mut().find(|known| {
                known.codemod.name == codemod.name && known.applicability == applicability
            });
            match known {
                Some(known) => known.fixes += 1,
                None => self.rewritten.applied.push(Applied {
                    codemod,
                    applicability,
                    fixes: 1,
                }),
            }
        }
    }

    fn fault(&mut self, codemod: Option<&'static Codemod>, problem: String) {
        self.rewritten.faults.push(Fault { codemod, problem });
    }

    /// The codemod whose fix took away one of these parts of the original text.
    fn rewriter_of(&self, parts: &[Range<usize>]) -> &'static str {
        let takes = |finding: &&Finding| match &finding.outcome {
            Outcome::Fix(fix) => fix.edits.iter().any(|edit| {
                parts
                    .iter()
                    .any(|part| edit.range.start <= part.start && part.end <= edit.range.end)
            }),
            Outcome::Withheld(_) => false,
        };
        let applied = self.rewritten.applied.first();
        self.rewritten
            .findings
            .iter()
            .find(takes)
            .map(|finding| finding.codemod)
            .or(applied.map(|applied| applied.codemod))
            .map_or("", |codemod| codemod.name)
    }

    /// Removes the imports that the rewrite left unused, as far as that is allowed.
    ///
    /// Of two names in one statement the second may go only when the first is gone: the comma
    /// between them belongs to both.
    fn remove_imports(&mut self, original: &Text, text: Text) -> Text {
        let mut text = text;
        loop {
            let mut kept = Vec::new();
            if !self.has_unread_import {
                // Most rewrites leave none, which is known without looking at both texts again.
                self.rewritten.unused_imports = kept;
                return text;
            }
            let mut changes = Vec::new();
            for unused in unused_imports(&original.module(), &text.module()) {
                if unused.is_global && self.settings.is_package {
                    continue;
                }
                if unused.is_global && (self.host.taken)(&unused.name) != Taken::Nowhere {
                    kept.push(UnusedImport { name: unused.name });
                    continue;
                }
                changes.push(Change {
                    tag: self.rewriter_of(&unused.uses),
                    edits: vec![unused.removal],
                });
            }
            self.rewritten.unused_imports = kept;
            if changes.is_empty() {
                return text;
            }
            let merged = merge_changes(&text.source, &changes, &self.rewritten.touched);
            if merged.text == text.source {
                return text;
            }
            let Ok(removed) = self.verified(&text, merged.text) else {
                return text;
            };
            self.rewritten.touched = merged.touched;
            self.origins.push(merged.origins);
            self.rewritten.remaining = self.ask(&removed).unwrap_or_default();
            text = removed;
        }
    }

    /// The text with comments that silence what is left, if they are wanted.
    fn silenced(&mut self, text: Text) -> Text {
        let Some(silence) = &self.settings.silence else {
            return text;
        };
        let edits = silence_all(&text.module(), &self.rewritten.remaining, &silence.reason);
        if edits.is_empty() {
            return text;
        }
        let change = Change {
            edits,
            tag: "add-ignores",
        };
        let merged = merge_changes(&text.source, &[change], &self.rewritten.touched);
        let silenced = match self.parse(merged.text) {
            Ok(silenced) if text.code().eq(silenced.code()) => silenced,
            _ => {
                self.fault(None, "a comment would have changed the code".to_string());
                return text;
            }
        };
        self.rewritten.touched = merged.touched;
        self.origins.push(merged.origins);
        let before = self.rewritten.remaining.len();
        self.rewritten.remaining = self.ask(&silenced).unwrap_or_default();
        self.rewritten.silenced = before.saturating_sub(self.rewritten.remaining.len());
        silenced
    }
}

impl Rewritten {
    /// The same findings with nothing applied.
    fn nothing_applied(self) -> Self {
        Self {
            remaining: self.findings.clone(),
            findings: self.findings,
            remaining_suppressions: self.suppressions.clone(),
            suppressions: self.suppressions,
            faults: self.faults,
            ..Self::default()
        }
    }
}

/// Whether `await` is written.
fn awaits(rewrite: &Rewrite) -> bool {
    rewrite
        .edits
        .iter()
        .any(|edit| edit.content.contains("await "))
}

fn is_in_decorator(module: &Module<'_>, node: AnyNodeRef<'_>) -> bool {
    let ancestors = module.ancestors(node);
    let mut expression = ancestors.take_while(|node| !node.is_statement());
    expression.any(|node| matches!(node, AnyNodeRef::Decorator(_)))
}

/// A message, with the lines of the code that it quotes behind each other.
fn in_one_line(message: String) -> String {
    if !message.contains(['\n', '\r']) {
        return message;
    }
    let lines = message.split(['\n', '\r']).map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// The changes applied. A text whose last line has no ending still has none where that line goes.
fn merge_changes<T: Clone>(
    source: &str,
    changes: &[Change<T>],
    before: &[Touched<T>],
) -> Merged<T> {
    let mut merged = merge(source, changes, before);
    if !source.ends_with(['\n', '\r']) {
        let length = merged.text.trim_end_matches(['\n', '\r']).len();
        merged.text.truncate(length);
        for part in &mut merged.touched {
            part.range = part.range.start.min(length)..part.range.end.min(length);
        }
    }
    merged
}

/// A place that a codemod is asked about, and the function to ask.
#[derive(Clone, Copy)]
enum Site<'a> {
    Call(&'a ExprCall, Decide),
    Node(AnyNodeRef<'a>, DecideNode),
}

impl<'a> Site<'a> {
    fn decide(self, context: &Context<'a, '_>) -> Verdict {
        match self {
            Site::Call(call, decide) => decide(context, call),
            Site::Node(node, decide) => decide(context, node),
        }
    }

    fn node(self) -> AnyNodeRef<'a> {
        match self {
            Site::Call(call, _) => call.into(),
            Site::Node(node, _) => node,
        }
    }

    /// Where the finding is shown: a call whole, of any other node the first line.
    fn range(self, module: &Module<'_>) -> Range<usize> {
        match self {
            Site::Call(call, _) => call.range().into(),
            Site::Node(node, _) => {
                let range: Range<usize> = node.range().into();
                let text = module.text(node.range());
                let line = text.find(['\n', '\r']).unwrap_or(text.len());
                range.start..range.start + line
            }
        }
    }
}

/// What the codemods start from, with who asks; by position, then precedence.
fn sites<'a>(
    module: &Module<'a>,
    codemods: &[&'static Codemod],
) -> Vec<(&'static Codemod, Site<'a>)> {
    let mut names: FxHashMap<&'static str, Vec<(&'static Codemod, Decide)>> = FxHashMap::default();
    let mut methods = names.clone();
    let mut kinds: FxHashMap<NodeKind, Vec<(&'static Codemod, DecideNode)>> = FxHashMap::default();
    for codemod in codemods {
        for on in codemod.on {
            match on {
                On::Call(starts, decide)
                | On::CallBeside(_, starts, decide)
                | On::CallUnless(starts, _, decide) => {
                    for start in *starts {
                        let (known, name) = match start.strip_prefix('.') {
                            Some(method) => (&mut methods, method),
                            None => (&mut names, *start),
                        };
                        known.entry(name).or_default().push((codemod, *decide));
                    }
                }
                On::Node {
                    kinds: wanted,
                    decide,
                    ..
                } => {
                    for kind in *wanted {
                        kinds.entry(*kind).or_default().push((codemod, *decide));
                    }
                }
            }
        }
    }
    let mut sites = called(module, &names, &methods);
    if !kinds.is_empty() {
        for node in module.descendants(module.root()) {
            if let Some(asking) = kinds.get(&node.kind()) {
                let node = |(codemod, decide): &(_, _)| (*codemod, Site::Node(node, *decide));
                sites.extend(asking.iter().map(node));
            }
        }
    }
    sites
}

/// The calls of `names` and of the methods called `methods`, with who asks about them.
fn called<'a>(
    module: &Module<'a>,
    names: &FxHashMap<&'static str, Vec<(&'static Codemod, Decide)>>,
    methods: &FxHashMap<&'static str, Vec<(&'static Codemod, Decide)>>,
) -> Vec<(&'static Codemod, Site<'a>)> {
    let mut last_parts: FxHashSet<&'static str> = FxHashSet::default();
    last_parts.extend(names.keys().filter_map(|name| name.rsplit('.').next()));
    let mut sites: Vec<(&'static Codemod, Site<'a>)> = Vec::new();
    if names.is_empty() && methods.is_empty() {
        return sites;
    }
    for call in module.calls() {
        let first = sites.len();
        let may_be_imported = match &*call.func {
            Expr::Attribute(attribute) => {
                if let Some(asking) = methods.get(attribute.attr.as_str()) {
                    sites.extend(
                        asking
                            .iter()
                            .map(|(codemod, decide)| (*codemod, Site::Call(call, *decide))),
                    );
                }
                last_parts.contains(attribute.attr.as_str())
            }
            // Whatever it is called here, the import tells what it is.
            Expr::Name(_) => true,
            _ => false,
        };
        if may_be_imported
            && let Some(name) = module.qualified_name(&call.func)
            && let Some(asking) = names.get(name.as_str())
        {
            for (codemod, decide) in asking {
                let known = sites[first..]
                    .iter()
                    .any(|(other, _)| other.name == codemod.name);
                if !known {
                    sites.push((codemod, Site::Call(call, *decide)));
                }
            }
        }
        if sites.len() > first && names_twice(call) {
            sites.truncate(first);
        }
    }
    sites
}

/// Whether a call gives an argument of one name twice, which CPython refuses to compile.
fn names_twice(call: &ExprCall) -> bool {
    let keywords = call.arguments.keywords.iter();
    let mut names = keywords.filter_map(|keyword| keyword.arg.as_deref());
    let mut seen = FxHashSet::default();
    !names.all(|name| seen.insert(name))
}

#[cfg(test)]
mod tests {
    use edit::Edit;

    use super::*;

    #[test]
    fn a_message_that_quotes_lines_is_one() {
        let message = "`a\r\n  .b` waits for\r`c`".to_string();
        assert_eq!(in_one_line(message), "`a .b` waits for `c`");
    }

    #[test]
    fn the_last_line_goes_with_the_ending_before_it() {
        let deletes_last = |source: &str| {
            let change = Change {
                edits: vec![Edit::delete(source.find('b').unwrap()..source.len())],
                tag: (),
            };
            merge_changes(source, &[change], &[])
        };
        let cut = deletes_last("a\r\nb");
        assert_eq!(cut.text, "a");
        assert_eq!(cut.touched[0].range, 1..1);
        assert_eq!(deletes_last("a\nb\n").text, "a\n");
    }
}
