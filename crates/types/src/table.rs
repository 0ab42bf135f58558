//! Generated tables, which the inference cannot stand.

/// With so many keys set at module level, ty 0.0.10 takes gigabytes: memory and time grow with
/// the square (4,000 keys: 2.8 GB and 10 s).
const MANY_KEYS: usize = 800;

/// Whether a module sets so many keys one by one, `TABLE["key"] = value` in the first column.
pub(crate) fn is_table(text: &str) -> bool {
    let sets_key = |line: &&str| {
        line.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && line.split_once('[').is_some_and(|(name, rest)| {
                name.chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
                    && rest.contains("] =")
            })
    };
    text.lines().filter(sets_key).nth(MANY_KEYS).is_some()
}

#[cfg(test)]
mod tests {
    use super::{MANY_KEYS, is_table};

    #[test]
    fn a_module_that_sets_many_keys_is_a_table() {
        let keys = |count: usize| "ids[\"x\"] = 1\n".repeat(count);
        assert!(is_table(&keys(MANY_KEYS + 1)));
        assert!(is_table(&"Ids.names[7] = 'y'\n".repeat(MANY_KEYS + 1)));
        assert!(!is_table(&keys(MANY_KEYS)));
        assert!(
            !is_table(&"    ids[1] = 2\n".repeat(MANY_KEYS + 1)),
            "in a function"
        );
        assert!(!is_table(&"print(ids[1])\n".repeat(MANY_KEYS + 1)));
        assert!(!is_table(&"x: list[int] = []\n".repeat(MANY_KEYS + 1)));
    }
}
