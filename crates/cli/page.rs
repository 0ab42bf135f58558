//! What a codemod's page says of its fixes.

use edit::Applicability;
use engine::Codemod;

/// Why a fix of `codemod` has this applicability. What makes one unsafe is said on the page.
pub fn why(codemod: &Codemod, applicability: Applicability) -> String {
    match applicability {
        Applicability::Safe => "nothing changes but the defect itself.".to_string(),
        Applicability::Intended => {
            "what changes is what the codemod exists to change, and nothing else.".to_string()
        }
        Applicability::Unsafe => {
            let mut why = "it may change more than that.".to_string();
            for reason in unsafe_where(codemod.page) {
                why.extend([" ", &reason]);
            }
            let read_on = format!(" Read `asyncfix explain {}`.", codemod.name);
            why + &read_on
        }
    }
}

/// Where the page of a codemod can be read.
pub fn url(codemod: &Codemod) -> String {
    let folder = codemod.name.replace('-', "_");
    format!(
        "{}/blob/main/codemods/{folder}/README.md",
        env!("CARGO_PKG_REPOSITORY")
    )
}

/// The paragraphs of a page that say of rewrites that they are unsafe.
fn unsafe_where(page: &str) -> Vec<String> {
    let mut in_code = false;
    let mut prose = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        prose.push_str(if in_code || fence { "" } else { line });
        prose.push('\n');
    }
    prose
        .split("\n\n")
        .filter(|paragraph| paragraph.contains(" unsafe") && !paragraph.starts_with('#'))
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}
