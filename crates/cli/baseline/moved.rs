//! Files of a baseline that are gone, and where their lines are now.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use rayon::prelude::*;

use super::file::{Tally, key};

/// For the files that are `gone`, the one of the `new` ones (files that the baseline does not
/// know) that each was renamed to, by its name: it holds at least half of the lines that the
/// baseline has of the lost one. Where several do, one of the same file name counts; else nobody
/// knows.
pub fn find(gone: &BTreeMap<&str, &Tally>, new: &[(String, &Path)]) -> BTreeMap<String, String> {
    let lines: BTreeMap<&str, BTreeSet<&str>> = gone
        .iter()
        .map(|(name, tally)| {
            let lines = tally.values().flat_map(|lines| lines.keys());
            (*name, lines.map(String::as_str).collect())
        })
        .collect();
    let mut owners: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, lines) in &lines {
        for line in lines {
            owners.entry(*line).or_default().push(*name);
        }
    }
    let held: Vec<(&str, BTreeMap<&str, BTreeSet<&str>>)> = new
        .par_iter()
        .map(|(name, path)| (name.as_str(), held(path, &owners)))
        .collect();
    let mut moves = BTreeMap::new();
    for (lost, lines) in lines {
        let half = lines.len().div_ceil(2).max(1);
        let count = |held: &BTreeMap<&str, BTreeSet<&str>>| held.get(lost).map_or(0, BTreeSet::len);
        let candidates: Vec<(&str, usize)> = held
            .iter()
            .map(|(name, held)| (*name, count(held)))
            .filter(|(name, count)| *count >= half && !moves.contains_key(*name))
            .collect();
        let best = candidates.iter().map(|(_, count)| *count).max();
        let best = || candidates.iter().filter(|(_, count)| Some(*count) == best);
        let named_alike = || best().filter(|(name, _)| file_name(name) == file_name(lost));
        let found = if best().count() == 1 {
            best().next()
        } else if named_alike().count() == 1 {
            named_alike().next()
        } else {
            None
        };
        if let Some((name, _)) = found {
            moves.insert((*name).to_string(), lost.to_string());
        }
    }
    moves
}

/// Which of the owned lines the file at `path` holds, by their owners.
fn held<'a>(
    path: &Path,
    owners: &HashMap<&'a str, Vec<&'a str>>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut held: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    // What cannot be read is reported when it is looked at.
    let bytes = std::fs::read(path).unwrap_or_default();
    for line in String::from_utf8_lossy(&bytes).split(['\n', '\r']) {
        if let Some((line, owners)) = owners.get_key_value(key(line).as_str()) {
            for owner in owners {
                held.entry(*owner).or_default().insert(*line);
            }
        }
    }
    held
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
