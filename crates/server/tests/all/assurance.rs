//! docs/assurance.md names the tests that show each statement; here is shown that they exist.

use std::collections::BTreeSet;

use crate::architecture::{sources, workspace};

fn page() -> String {
    std::fs::read_to_string(workspace().join("docs/assurance.md")).unwrap()
}

/// The statements' numbers: P1 to P15, I1 to I14, and so on.
fn numbers() -> Vec<String> {
    let groups = [
        ("P", 15),
        ("I", 14),
        ("S", 13),
        ("N", 9),
        ("A", 6),
        ("U", 5),
    ];
    groups
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}")))
        .collect()
}

#[test]
fn every_statement_has_a_row_with_tests_or_says_not_yet() {
    let page = page();
    let numbers = numbers();
    assert_eq!(numbers.len(), 62);
    for number in numbers {
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with(&format!("| {number} |")))
            .collect();
        let [row] = rows.as_slice() else {
            panic!("{number} has {} rows", rows.len());
        };
        assert!(row.contains('`') || row.contains("not yet"), "{row}");
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = page();
    let mut defined = BTreeSet::new();
    for file in sources(&workspace().join("crates")) {
        let text = std::fs::read_to_string(file).unwrap();
        for (at, _) in text.match_indices("fn ") {
            let name = text[at + 3..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            defined.extend(name.take(1).map(str::to_owned));
        }
    }
    let mut named = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        // Between back quotes: a test's name, or a path with slashes or dots.
        for name in row.split('`').skip(1).step_by(2) {
            if name.contains(['/', '.', ' ']) {
                continue;
            }
            named += 1;
            assert!(defined.contains(name), "no test is named `{name}`");
        }
    }
    assert!(named > 62, "the page names tests");
}
