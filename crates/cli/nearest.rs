//! "Did you mean ...?"

/// The candidate that `word` is most likely a slip of; none where nothing is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('_', "-");
    candidates
        .into_iter()
        .map(|candidate| {
            // What was left out at the end is no slip: `gather` is near `gather-to-taskgroup`.
            let distance = if word.len() >= 3 && candidate.starts_with(&word) {
                0
            } else {
                strsim::damerau_levenshtein(&word, candidate)
            };
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The end of a message that refuses `word`: `; did you mean ...?`, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates)
        .map(|candidate| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let words = ["select", "ignore", "await-sleep"];
        assert_eq!(nearest("selct", words), Some("select"));
        assert_eq!(nearest("await_sleep", words), Some("await-sleep"));
        assert_eq!(nearest("await", words), Some("await-sleep"));
        assert_eq!(nearest("Ignore", words), Some("ignore"));
        assert_eq!(nearest("frobnicate", words), None);
    }
}
