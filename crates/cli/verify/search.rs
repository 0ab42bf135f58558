//! The search for the fixes that break a command, with as few runs of it as possible. It knows
//! nothing of files and commands: it says what to try next, and is told what came of it.
//!
//! That nothing applied passes is known before. In a list of which the whole fails, the first
//! beginning that fails is looked for by halves: what it ends in breaks what passed before it. If
//! that has parts (a file: its fixes), they are searched in the same way; else it is a culprit, is
//! left out, and the rest is tried as a whole. So one culprit in n costs about log n + 2 runs, and
//! each set that passes holds those that passed before: nothing that passed is given up.
//!
//! Of units that fail only together the last is left out: the fewest, and the others stay.

/// What is applied or left out.
pub trait Unit: Clone {
    /// What it consists of, in the order of the search; itself alone where it cannot be parted.
    fn parts(&self) -> Vec<Self>;
}

/// A search as it stands.
#[derive(Debug)]
pub struct Search<T> {
    /// These pass together.
    passing: Vec<T>,
    /// What is searched.
    rest: Vec<T>,
    /// What comes after it.
    later: Vec<T>,
    /// So many of `rest` pass, with `passing`.
    low: usize,
    /// With so many of `rest`, and all before them, it failed.
    high: usize,
    /// How many runs failed that held all of `rest[..high]`; none before the whole was tried.
    failures: usize,
    culprits: Vec<T>,
    /// Whether it once failed and then passed with the same units.
    is_unstable: bool,
}

/// What a search came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// These pass together.
    pub passing: Vec<T>,
    /// With each of these it fails, on top of what passes before it.
    pub culprits: Vec<T>,
    /// What is not known of, where the search was not brought to its end.
    pub undecided: Vec<T>,
    /// Whether it once failed and then passed with the same units.
    pub is_unstable: bool,
}

impl<T: Unit> Search<T> {
    pub fn new(units: Vec<T>) -> Self {
        Self {
            passing: Vec::new(),
            rest: units,
            later: Vec::new(),
            low: 0,
            high: 0,
            failures: 0,
            culprits: Vec::new(),
            is_unstable: false,
        }
    }

    /// What is to be tried; none where all is known.
    pub fn next(&self) -> Option<Vec<T>> {
        let count = match self.failures {
            _ if self.rest.is_empty() => return None,
            0 => self.rest.len(),
            // One failure may be the command's own whim: what is blamed has failed twice.
            _ if self.high - self.low == 1 => self.high,
            _ => self.middle(),
        };
        let tried = self.passing.iter().chain(&self.rest[..count]);
        Some(tried.cloned().collect())
    }

    /// Whether what is tried next failed once already.
    pub fn confirms(&self) -> bool {
        self.failures > 0 && self.high - self.low == 1
    }

    /// Takes in that what was tried passed.
    pub fn passed(&mut self) {
        if self.failures == 0 {
            self.passing.append(&mut self.rest);
            return;
        }
        if self.confirms() {
            // It was the last of all: with a later one it would have failed twice.
            self.is_unstable = true;
            self.passing.append(&mut self.rest);
            (self.low, self.high, self.failures) = (0, 0, 0);
            return;
        }
        self.low = self.middle();
        self.narrow();
    }

    /// Takes in that what was tried failed.
    pub fn failed(&mut self) {
        if self.failures == 0 {
            self.high = self.rest.len();
        } else if !self.confirms() {
            self.high = self.middle();
        }
        self.failures += 1;
        self.narrow();
    }

    /// What was found to break it, so far.
    pub fn culprits(&self) -> &[T] {
        &self.culprits
    }

    /// What is known so far.
    pub fn found(self) -> Found<T> {
        let Self {
            mut passing,
            mut rest,
            later,
            low,
            ..
        } = self;
        passing.extend(rest.drain(..low));
        rest.extend(later);
        Found {
            passing,
            culprits: self.culprits,
            undecided: rest,
            is_unstable: self.is_unstable,
        }
    }

    fn middle(&self) -> usize {
        usize::midpoint(self.low, self.high)
    }

    /// Goes on where one unit is left: with its parts, or without it.
    fn narrow(&mut self) {
        while self.failures > 0 && self.high - self.low == 1 {
            let mut parts = self.rest[self.low].parts();
            let is_whole = parts.len() < 2;
            if is_whole && self.failures < 2 {
                return; // to be confirmed
            }
            let mut after = self.rest.split_off(self.high);
            after.append(&mut self.later);
            let culprit = self.rest.pop();
            self.passing.append(&mut self.rest);
            self.low = 0;
            if is_whole {
                self.culprits.extend(culprit);
                self.rest = after;
                self.failures = 0;
                self.high = 0;
            } else {
                self.high = parts.len();
                self.rest.append(&mut parts);
                self.later = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Search, Unit};

    /// A fix: the number of its file, and its own; of a file as a whole the numbers of all.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Fixes(usize, Vec<usize>);

    impl Unit for Fixes {
        fn parts(&self) -> Vec<Self> {
            let Self(file, fixes) = self;
            fixes.iter().map(|fix| Self(*file, vec![*fix])).collect()
        }
    }

    /// Files with so many fixes each, numbered through.
    fn files(counts: &[usize]) -> Vec<Fixes> {
        let mut next = 0;
        let file = |(file, count): (usize, &usize)| {
            next += count;
            Fixes(file, (next - count..next).collect())
        };
        counts.iter().enumerate().map(file).collect()
    }

    fn numbers(fixes: &[Fixes]) -> Vec<usize> {
        let mut all: Vec<usize> = fixes.iter().flat_map(|Fixes(_, it)| it.clone()).collect();
        all.sort_unstable();
        all
    }

    /// What a search comes to, the sets that were tried, and whether each passed. `fails` is asked
    /// with the fixes that are applied, and the number of the run.
    fn search(
        files: Vec<Fixes>,
        mut fails: impl FnMut(&[usize], usize) -> bool,
    ) -> (Found<Fixes>, Vec<(Vec<usize>, bool)>) {
        let mut search = Search::new(files);
        let mut runs = Vec::new();
        while let Some(tried) = search.next() {
            let tried = numbers(&tried);
            let passes = !fails(&tried, runs.len());
            runs.push((tried, passes));
            if passes {
                search.passed();
            } else {
                search.failed();
            }
            assert!(runs.len() < 200);
        }
        (search.found(), runs)
    }

    /// The culprits where any of these sets breaks the command, and how many runs it took.
    fn culprits(counts: &[usize], breaking: &[&[usize]]) -> (Vec<usize>, usize) {
        let breaks = |applied: &[usize]| {
            let all_of = |set: &&&[usize]| set.iter().all(|it| applied.contains(it));
            breaking.iter().any(|set| all_of(&set))
        };
        let (found, runs) = search(files(counts), |applied, _| breaks(applied));
        let (passing, culprits) = (numbers(&found.passing), numbers(&found.culprits));
        assert!(found.undecided.is_empty() && !found.is_unstable);
        // What stays was tried and passed, and nothing more can stay.
        if !passing.is_empty() {
            assert!(runs.contains(&(passing.clone(), true)));
        }
        assert!(!breaks(&passing));
        for culprit in &culprits {
            let more: Vec<usize> = passing.iter().chain([culprit]).copied().collect();
            assert!(breaks(&more), "{culprit}");
        }
        assert_eq!(passing.len() + culprits.len(), counts.iter().sum::<usize>());
        (culprits, runs.len())
    }

    #[test]
    fn what_passes_as_a_whole_is_tried_once() {
        assert_eq!(culprits(&[1, 2, 3], &[]), (vec![], 1));
        assert_eq!(culprits(&[], &[]), (vec![], 0));
    }

    #[test]
    fn a_single_fix_is_tried_twice() {
        assert_eq!(culprits(&[1], &[&[0]]), (vec![0], 2));
    }

    #[test]
    fn one_culprit_costs_a_run_for_each_halving() {
        // All, four halvings, and what remains; the last of all is confirmed.
        for culprit in 0..16 {
            let (found, runs) = culprits(&[1; 16], &[&[culprit]]);
            assert_eq!(found, [culprit]);
            assert!((5..=6).contains(&runs), "{culprit}: {runs}");
        }
        let (found, runs) = culprits(&[1; 1000], &[&[617]]);
        assert_eq!(found, [617]);
        assert!(runs <= 12, "{runs}");
    }

    #[test]
    fn a_file_is_parted_only_if_it_matters() {
        let (found, runs) = culprits(&[8, 8, 8, 8], &[&[11]]);
        assert_eq!(found, [11]);
        assert_eq!(runs, 1 + 2 + 3 + 1);
    }

    #[test]
    fn independent_culprits_are_all_found() {
        assert_eq!(culprits(&[3, 1, 4], &[&[0], &[7]]).0, [0, 7]);
        assert_eq!(culprits(&[3, 1, 4], &[&[4], &[5], &[7]]).0, [4, 5, 7]);
        assert_eq!(culprits(&[2, 2], &[&[0], &[1], &[2], &[3]]).0, [0, 1, 2, 3]);
    }

    #[test]
    fn of_those_that_fail_only_together_the_last_is_left_out() {
        assert_eq!(culprits(&[4, 4], &[&[1, 6]]).0, [6]);
        assert_eq!(culprits(&[4, 4], &[&[1, 2], &[2, 6]]).0, [2]);
        assert_eq!(culprits(&[4, 4], &[&[0, 3, 7], &[5]]).0, [5, 7]);
    }

    #[test]
    fn every_set_of_culprits_is_found_in_small_trees() {
        for mask in 0..64_usize {
            let sets: Vec<Vec<usize>> = (0..6)
                .filter(|it| mask & (1 << it) > 0)
                .map(|it| vec![it])
                .collect();
            let breaking: Vec<&[usize]> = sets.iter().map(Vec::as_slice).collect();
            for counts in [&[6][..], &[1; 6], &[2, 4], &[3, 1, 2]] {
                let (found, _) = culprits(counts, &breaking);
                assert_eq!(found, sets.concat(), "{counts:?}");
            }
        }
    }

    #[test]
    fn a_failure_that_does_not_come_again_blames_nobody() {
        // The first run fails by chance.
        let (found, runs) = search(files(&[2, 2]), |_, run| run == 0);
        assert!(found.is_unstable && found.culprits.is_empty());
        assert_eq!(numbers(&found.passing), [0, 1, 2, 3]);
        assert_eq!(runs.last().unwrap(), &(vec![0, 1, 2, 3], true));
    }

    #[test]
    fn whatever_is_answered_only_what_passed_stays() {
        let mut state: u64 = 1;
        for _ in 0..2000 {
            let (found, runs) = search(files(&[3, 1, 5, 2]), |_, _| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 33).is_multiple_of(3)
            });
            let passing = numbers(&found.passing);
            assert!(passing.is_empty() || runs.contains(&(passing.clone(), true)));
            assert!(found.undecided.is_empty());
            let culprits = numbers(&found.culprits);
            assert_eq!(passing.len() + culprits.len(), 11);
        }
    }

    #[test]
    fn a_search_that_is_broken_off_keeps_what_passed() {
        let mut search = Search::new(files(&[1; 8]));
        search.failed(); // all
        search.passed(); // the first half
        let Found {
            passing,
            culprits,
            undecided,
            ..
        } = search.found();
        assert_eq!(numbers(&passing), [0, 1, 2, 3]);
        assert!(culprits.is_empty());
        assert_eq!(numbers(&undecided), [4, 5, 6, 7]);

        let mut search = Search::new(files(&[4, 4]));
        search.failed();
        search.failed(); // the first file, which is parted
        search.passed(); // its first half
        let found = search.found();
        assert_eq!(numbers(&found.passing), [0, 1]);
        assert_eq!(numbers(&found.undecided), [2, 3, 4, 5, 6, 7]);
    }
}
