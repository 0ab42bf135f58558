//! CODEOWNERS: who owns which files.
//!
//! Source: GitHub Docs, "About code owners"; GitLab Docs, "Code Owners" and "Code Owners syntax and
//! error handling".

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::hub::People;

/// Where GitHub looks, the first first.
pub const GITHUB_PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// Where GitLab looks, the first first.
pub const GITLAB_PLACES: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The owners that a CODEOWNERS names.
#[derive(Debug)]
pub struct Owners {
    /// Of GitLab's there are several: in each the last rule that matches has the say. GitHub's has
    /// one.
    sections: Vec<Vec<Rule>>,
}

#[derive(Debug)]
struct Rule {
    matcher: Gitignore,
    /// Whether it is about the files that it matches only, and not about what is in a folder that
    /// it matches.
    is_of_files: bool,
    /// Whether nobody owns what it matches.
    is_exclusion: bool,
    owners: Vec<String>,
}

impl Owners {
    /// Of GitHub's file.
    pub fn of_github(text: &str) -> Self {
        let rules = lines(text).filter_map(Rule::of_github);
        Self {
            sections: vec![rules.collect()],
        }
    }

    /// Of GitLab's file, which has sections with owners of their own.
    pub fn of_gitlab(text: &str) -> Self {
        let mut sections = vec![Vec::new()];
        let mut names: Vec<String> = vec![String::new()];
        let (mut current, mut default): (usize, Vec<String>) = (0, Vec::new());
        for line in lines(text) {
            if let Some((name, owners)) = section(line) {
                // One that comes again goes on.
                current = names.iter().position(|it| *it == name).unwrap_or_else(|| {
                    names.push(name);
                    sections.push(Vec::new());
                    sections.len() - 1
                });
                default = owners;
            } else if let Some(section) = sections.get_mut(current) {
                section.extend(Rule::of_gitlab(line, &default));
            }
        }
        Self { sections }
    }

    /// Who owns one of these files, each named once. An address of mail is nobody that a service
    /// could be told of.
    pub fn of<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> People {
        let mut people = People::default();
        for path in paths {
            for rules in &self.sections {
                let mut matching = rules.iter().rev().filter(|rule| rule.matches(path));
                let decisive = matching.next();
                // What was excluded once is not included again.
                let is_excluded = decisive
                    .into_iter()
                    .chain(matching)
                    .any(|it| it.is_exclusion);
                let owners = decisive.filter(|_| !is_excluded);
                for owner in owners.map_or(&[][..], |rule| &rule.owners) {
                    let Some(name) = owner.strip_prefix('@') else {
                        continue;
                    };
                    // `@@role` is GitLab's, and nobody's name.
                    let list = match name.contains('/') {
                        _ if name.is_empty() || name.starts_with('@') => continue,
                        true => &mut people.teams,
                        false => &mut people.users,
                    };
                    if !list.iter().any(|it| it.eq_ignore_ascii_case(name)) {
                        list.push(name.to_string());
                    }
                }
            }
        }
        people
    }
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `[Name]`, `^[Name][2] @owner`.
fn section(line: &str) -> Option<(String, Vec<String>)> {
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, rest) = rest.split_once(']')?;
    let rest = match rest.strip_prefix('[') {
        Some(count) => count.split_once(']')?.1,
        None => rest,
    };
    Some((name.to_lowercase(), owners(rest).collect()))
}

fn owners(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_string)
}

impl Rule {
    /// None where the pattern is none.
    fn of_github(line: &str) -> Option<Self> {
        let (pattern, rest) = pattern(line);
        // Negation there is none.
        if pattern.starts_with('!') {
            return None;
        }
        Some(Self {
            matcher: matcher(&pattern)?,
            // What is directly in a folder, and nothing below that.
            is_of_files: pattern.ends_with("/*"),
            is_exclusion: false,
            // A line without owners says that there are none.
            owners: owners(rest)
                .take_while(|word| !word.starts_with('#'))
                .collect(),
        })
    }

    /// None where the pattern is none. What stands behind `#` counts too: there is no comment at
    /// the end of a line.
    fn of_gitlab(line: &str, default: &[String]) -> Option<Self> {
        let (pattern, rest) = pattern(line);
        let (is_exclusion, pattern) = match pattern.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, pattern.as_str()),
        };
        // As shells have patterns: one that does not begin at the root is about any folder, and
        // one of a folder has to end with a slash.
        let mut anchored = match pattern.strip_prefix('/') {
            Some(pattern) => format!("/{pattern}"),
            None => format!("/**/{pattern}"),
        };
        if pattern.ends_with('/') {
            anchored.push_str("**/*");
        }
        let named: Vec<String> = owners(rest).collect();
        Some(Self {
            matcher: matcher(&anchored).filter(|_| !pattern.is_empty())?,
            is_of_files: true,
            is_exclusion,
            owners: if named.is_empty() {
                default.to_vec()
            } else {
                named
            },
        })
    }

    fn matches(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/');
        if self.is_of_files {
            return self.matcher.matched(path, false).is_ignore();
        }
        let found = self.matcher.matched_path_or_any_parents(path, false);
        found.is_ignore()
    }
}

fn matcher(pattern: &str) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    builder.add_line(None, pattern).ok()?;
    builder.build().ok().filter(|it| !it.is_empty())
}

/// The pattern, in which a blank is written `\ `, and the rest.
fn pattern(line: &str) -> (String, &str) {
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        if c.is_whitespace() && !is_escaped {
            return (line[..at].to_string(), &line[at..]);
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    (line.to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::Owners;

    fn users(owners: &Owners, path: &str) -> Vec<String> {
        owners.of([path]).users
    }

    /// The example of GitHub's documentation, shortened.
    const GITHUB: &str = "# comment\n*       @global-owner1 @global-owner2\n*.js    @js-owner #inline\n\
                          *.go docs@example.com\n*.txt @octo-org/octocats\n/build/logs/ @doctocat\n\
                          docs/* docs@example.com\napps/ @octocat\n/docs/ @doctocat\n\
                          /scripts/ @doctocat @octocat\n**/logs @octocat\n/apps/ @octocat\n\
                          /apps/github\n";

    #[test]
    fn the_last_that_matches_has_the_say() {
        let owners = Owners::of_github(GITHUB);
        assert_eq!(users(&owners, "a/b.py"), ["global-owner1", "global-owner2"]);
        assert_eq!(users(&owners, "a/b.js"), ["js-owner"]);
        assert_eq!(users(&owners, "build/logs/x.py"), ["octocat"]);
        assert_eq!(users(&owners, "x/apps/y.js"), ["octocat"]);
        assert_eq!(users(&owners, "docs/a/b.py"), ["doctocat"]);
        assert_eq!(users(&owners, "deeply/nested/logs/x.py"), ["octocat"]);
    }

    #[test]
    fn a_line_without_owners_takes_them_away_and_mail_is_nobody() {
        let owners = Owners::of_github(GITHUB);
        assert_eq!(users(&owners, "apps/github/x.py"), [""; 0]);
        assert_eq!(users(&owners, "a.go"), [""; 0]);
        assert_eq!(owners.of(["a.txt"]).teams, ["octo-org/octocats"]);
    }

    #[test]
    fn a_star_behind_a_folder_is_about_that_folder_only() {
        let owners = Owners::of_github("* @all\ndocs/* @writers\n");
        assert_eq!(users(&owners, "docs/a.py"), ["writers"]);
        assert_eq!(users(&owners, "docs/a/b.py"), ["all"]);
    }

    #[test]
    fn a_blank_in_a_path_is_escaped_and_owners_are_named_once() {
        let owners = Owners::of_github("/a\\ b/ @one @ONE\n/c @two\n");
        let people = owners.of(["a b/c.py", "c/d.py", "a b/e.py"]);
        assert_eq!(people.users, ["one", "two"]);
    }

    #[test]
    fn each_section_of_gitlab_has_its_say_and_its_defaults() {
        let text = "* @all\n[Docs][2] @writers\n/docs/\n/docs/api/ @api @@maintainer\n^[Code]\n*.py @group/python\n\
                    [docs]\n/guide/\n";
        let owners = Owners::of_gitlab(text);
        let people = owners.of(["docs/a.py"]);
        assert_eq!(people.users, ["all", "writers"]);
        assert_eq!(people.teams, ["group/python"]);
        assert_eq!(users(&owners, "docs/api/a.txt"), ["all", "api"]);
        assert_eq!(users(&owners, "guide/x.txt"), ["all"]);
    }

    /// From its documentation, "Path matching".
    #[test]
    fn patterns_of_gitlab_are_those_of_shells() {
        let does = |pattern: &str, path: &str| {
            let owners = Owners::of_gitlab(&format!("{pattern} @one"));
            users(&owners, path) == ["one"]
        };
        for (pattern, paths, others) in [
            ("/README.md", &["README.md"][..], &["docs/README.md"][..]),
            (
                "README.md",
                &["README.md", "app/lib/README.md"],
                &["README.rst"],
            ),
            (
                "internal/README.md",
                &["internal/README.md", "docs/api/internal/README.md"],
                &["README.md"],
            ),
            (
                "/docs/",
                &["docs/a.md", "docs/a/b.md", "docs/.x"],
                &["a/docs/b.md"],
            ),
            ("docs/", &["docs/a.md", "a/docs/b.md"], &["docs.md"]),
            ("docs", &["docs", "a/docs"], &["docs/a.md"]),
            ("/docs/*.md", &["docs/a.md"], &["docs/a/b.md"]),
            ("/docs/*", &["docs/a.md"], &["docs/a/b.md"]),
            ("/docs/*spec*", &["docs/qa_specs.rb"], &["docs/spec/a.rb"]),
            (
                "/docs/*/README.md",
                &["docs/api/README.md"],
                &["docs/README.md"],
            ),
            (
                "/docs/**/index.md",
                &["docs/index.md", "docs/a/b/index.md"],
                &["index.md"],
            ),
            ("*", &["a", "a/b/.c"], &[]),
        ] {
            for path in paths {
                assert!(does(pattern, path), "{pattern} {path}");
            }
            for path in others {
                assert!(!does(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn what_is_excluded_at_gitlab_has_no_owners_in_its_section() {
        let text = "* @all\n!*.rb # by hand\n/special/*.rb @never\n[Ruby] @ruby\n*.rb\n!/config/**/*.rb\n\
                    /config/routes.rb @never\n";
        let owners = Owners::of_gitlab(text);
        assert_eq!(users(&owners, "a.py"), ["all"]);
        assert_eq!(users(&owners, "special/a.rb"), ["ruby"]);
        assert_eq!(users(&owners, "config/routes.rb"), [""; 0]);
        // GitHub knows no exclusions.
        assert_eq!(
            users(&Owners::of_github("* @all\n!*.rb\n"), "a.rb"),
            ["all"]
        );
    }

    #[test]
    fn owners_in_a_comment_count_at_gitlab_and_not_at_github() {
        let text = "*.py @one # and @two\n";
        assert_eq!(users(&Owners::of_gitlab(text), "a.py"), ["one", "two"]);
        assert_eq!(users(&Owners::of_github(text), "a.py"), ["one"]);
    }
}
