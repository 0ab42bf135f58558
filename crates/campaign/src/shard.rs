//! One of several parts of a campaign, that machines share.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::source::Address;

/// Part `index` of `count`.
///
/// A repository belongs to the part that the hash of its address says: so it stays in its part when
/// others are added to the list or taken out, and all folders and branches of one repository are
/// in the same part, which clones it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u64,
    count: u64,
}

impl Shard {
    /// Part `index`, from 0, of `count`.
    pub fn new(index: u64, count: u64) -> Result<Self, String> {
        if count == 0 || index >= count {
            return Err(format!(
                "there is no part {index} of {count}: parts count from 0"
            ));
        }
        Ok(Self { index, count })
    }

    /// The number that it has of the parts.
    pub fn index(self) -> u64 {
        self.index
    }

    /// Whether the repository that was planned at this address belongs to it.
    pub fn has_url(self, url: &str) -> bool {
        Address::known(url).is_ok_and(|address| self.has(&address))
    }

    /// Whether the repository at this address belongs to it.
    pub fn has(self, address: &Address) -> bool {
        let digest = Sha256::digest(address.canonical().as_bytes());
        let bytes = digest.iter().take(8);
        let number = bytes.fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    /// `I/N`, from `0/N` on.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers = parts.map(|(index, count)| (index.parse(), count.parse()));
        match numbers {
            Some((Ok(index), Ok(count))) => Self::new(index, count),
            _ => Err("it is `I/N`: part I, from 0, of N".to_string()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;
    use crate::source::Address;
    use std::path::Path;

    #[test]
    fn parts_that_are_none_are_refused() {
        for text in ["", "1", "3/3", "0/0", "-1/2", "a/b"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_repository_is_in_one_part_and_parts_are_of_a_size() {
        const COUNT: u64 = 16;
        let shards: Vec<Shard> = (0..COUNT)
            .map(|index| Shard::new(index, COUNT).unwrap())
            .collect();
        let mut sizes = [0_usize; 16];
        for number in 0..10_000 {
            let url = format!("https://github.com/o{}/r{number}", number % 70);
            let address = Address::parse(&url, Path::new("/")).unwrap();
            let of: Vec<_> = shards.iter().filter(|it| it.has(&address)).collect();
            assert_eq!(of.len(), 1, "{url}");
            sizes[usize::try_from(of[0].index()).unwrap()] += 1;
        }
        assert!(sizes.iter().all(|it| (525..725).contains(it)), "{sizes:?}");
    }
}
