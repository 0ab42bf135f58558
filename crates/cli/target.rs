//! Target versions: as the user writes them, and as packaging metadata implies them.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use python::ast::PythonVersion;

/// Where nothing says otherwise.
pub const DEFAULT: PythonVersion = PythonVersion {
    major: 3,
    minor: 11,
};

/// The lowest version that can be asked for: `asyncio.run` and `create_task` are from there.
const LOWEST: u8 = 7;
/// Above every version that metadata can mean: the search for the lowest ends here.
const HIGHEST: u8 = 40;

/// Reads `py311` or `3.11`.
pub fn parse_version(text: &str) -> Result<PythonVersion, String> {
    let minor = text
        .strip_prefix("py3")
        .or_else(|| text.strip_prefix("3."))
        .and_then(|minor| minor.parse::<u8>().ok())
        .filter(|minor| (LOWEST..HIGHEST).contains(minor));
    match minor {
        Some(minor) => Ok(PythonVersion { major: 3, minor }),
        None => Err(format!(
            "`{text}` is not a Python version from 3.{LOWEST} on, as in `py311` or `3.11`"
        )),
    }
}

/// The lowest Python 3 that `requires-python` allows, in any of its patch releases.
pub fn lowest_required(specifiers: &str) -> Result<PythonVersion, String> {
    let parsed = VersionSpecifiers::from_str(specifiers).map_err(|error| error.to_string())?;
    (0..HIGHEST)
        .find(|minor| {
            (0..HIGHEST).any(|patch| {
                parsed.contains(&Version::new([3, u64::from(*minor), u64::from(patch)]))
            })
        })
        .map(|minor| PythonVersion { major: 3, minor })
        .ok_or_else(|| format!("`{specifiers}` allows no version of Python 3"))
}

/// The lowest Python 3 that Poetry's notation allows: `^3.8`, `~3.9`, `3.10.*`, `>=3.8,<4.0`,
/// alternatives separated by `||`.
pub fn lowest_required_poetry(constraint: &str) -> Result<PythonVersion, String> {
    constraint
        .split("||")
        .map(|alternative| {
            let mut alternative = alternative.to_string();
            for operator in ["=", ">", "<", "^", "~"] {
                alternative = alternative.replace(&format!("{operator} "), operator);
            }
            let specifiers: Vec<String> = alternative
                .split([',', ' '])
                .filter(|part| !part.trim().is_empty())
                .map(|part| poetry_to_pep440(part.trim()))
                .collect();
            lowest_required(&specifiers.join(","))
        })
        .reduce(|one, other| match (one, other) {
            (Ok(one), Ok(other)) => Ok(one.min(other)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        })
        .unwrap_or_else(|| Err("is empty".to_string()))
}

/// One constraint of Poetry's in the notation of PEP 440.
fn poetry_to_pep440(constraint: &str) -> String {
    if let Some(version) = constraint.strip_prefix('^') {
        return match version.split('.').next().map(str::parse::<u32>) {
            Some(Ok(major)) => format!(">={version},<{}", major + 1),
            _ => constraint.to_string(),
        };
    }
    if let Some(version) = constraint.strip_prefix('~').filter(|v| !v.starts_with('=')) {
        let parts: Vec<&str> = version.split('.').collect();
        return match (
            parts.first(),
            parts.get(1).map(|minor| minor.parse::<u32>()),
        ) {
            (Some(major), Some(Ok(minor))) => format!(">={version},<{major}.{}", minor + 1),
            (Some(major), None) => format!("=={major}.*"),
            _ => constraint.to_string(),
        };
    }
    if constraint == "*" {
        return ">=0".to_string();
    }
    if constraint.starts_with(|first: char| first.is_ascii_digit()) {
        // `3.8` is read as `3.8.*`: Poetry means 3.8.0, which nobody who writes it does.
        let series = constraint.trim_end_matches(".*");
        return format!("=={series}.*");
    }
    constraint.to_string()
}

#[cfg(test)]
mod tests {
    use super::{lowest_required, lowest_required_poetry, parse_version};

    #[test]
    fn both_notations_of_a_version_are_read() {
        for text in ["py311", "3.11"] {
            assert_eq!(parse_version(text).unwrap().to_string(), "3.11");
        }
        assert_eq!(parse_version("py37").unwrap().to_string(), "3.7");
        for text in [
            "py27", "3.6", "311", "py3", "3", "", "3.11.2", "3.99", "three",
        ] {
            assert!(parse_version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_lowest_allowed_version_is_found() {
        for (specifiers, lowest) in [
            (">=3.8", "3.8"),
            (">=3.8.1", "3.8"),
            (">3.8", "3.8"),
            (">=3.9, <4", "3.9"),
            ("~=3.10", "3.10"),
            ("==3.11.*", "3.11"),
            ("!=3.0.*,>=2.7", "3.1"),
            (">=3.8,!=3.8.*", "3.9"),
            ("<3.12", "3.0"),
            ("", "3.0"),
        ] {
            let found = lowest_required(specifiers).unwrap().to_string();
            assert_eq!(found, lowest, "{specifiers}");
        }
        assert!(lowest_required("<3").is_err());
        assert!(lowest_required("three").is_err());
    }

    #[test]
    fn poetry_has_a_notation_of_its_own() {
        for (constraint, lowest) in [
            ("^3.8", "3.8"),
            ("^3.8.1", "3.8"),
            ("~3.9", "3.9"),
            ("3.10", "3.10"),
            ("3.10.*", "3.10"),
            (">=3.8,<4.0", "3.8"),
            (">= 3.8 <4.0", "3.8"),
            ("^3.10 || ~3.8", "3.8"),
            ("*", "3.0"),
        ] {
            let found = lowest_required_poetry(constraint).unwrap().to_string();
            assert_eq!(found, lowest, "{constraint}");
        }
        assert!(lowest_required_poetry("^three").is_err());
    }
}
