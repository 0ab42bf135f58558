//! How many pull requests may be open, and how fast they may come.

use super::Published;
use super::hub::At;

at_both! {
    no_more_are_open_than_may_be,
}

fn no_more_are_open_than_may_be(at: At) {
    let published = Published::new(at, &["r", "s", "t"]);
    let said = published.published(&["--max-open=1"]);
    assert!(said.contains("1 made, 2 waiting"), "{said}");
    let said = published.published(&["--max-open=1"]);
    assert!(said.contains("1 as they were, 2 waiting"), "{said}");
    // Somebody merges it.
    published.hub().merge("r");
    let said = published.published(&["--max-open=1"]);
    assert!(
        said.contains("1 made, 1 decided by somebody, 1 waiting"),
        "{said}"
    );
    assert!(said.contains("merged by somebody"), "{said}");
    assert_eq!(published.hub().changes()[at.create], 2);
}
