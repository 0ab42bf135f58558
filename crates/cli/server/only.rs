//! One finding of a text, and no other.

use engine::{Admission, Admitted, Sited};
use server::Site;

use super::parts::Parts;

/// Admits the finding at a site of the text as it was given. What its fix brings up is for the
/// user.
pub struct Only<'a> {
    pub text: &'a str,
    pub parts: &'a Parts<'a>,
    pub site: &'a Site,
}

impl Admission for Only<'_> {
    fn admit(&self, text: &str, findings: &[Sited<'_>]) -> Vec<Admitted> {
        let is_it = |sited: &Sited| {
            let finding = sited.finding;
            text == self.text
                && self.parts.is_at(&finding.range, self.site)
                && finding.codemod.name == self.site.codemod
        };
        let admitted = |sited| {
            if is_it(sited) {
                Admitted::Yes
            } else {
                Admitted::No
            }
        };
        findings.iter().map(admitted).collect()
    }
}
