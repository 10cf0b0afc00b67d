//! The list of routes and the description are one and the same.

use std::path::Path;

use domain::permission::Permission;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;

use super::needs::Needs;
use super::{openapi, routes};

fn operations() -> Vec<(String, Operation)> {
    let mut found = Vec::new();
    for (path, item) in openapi::describe().paths.paths {
        for (method, operation) in [
            ("GET", item.get),
            ("PUT", item.put),
            ("POST", item.post),
            ("PATCH", item.patch),
            ("DELETE", item.delete),
        ] {
            found.extend(operation.map(|operation| (format!("{method} {path}"), operation)));
        }
    }
    found
}

#[test]
fn every_route_is_described_once() {
    assert_eq!(operations().len(), routes::all().len());
}

#[test]
fn every_operation_declares_the_answers_that_any_request_can_get() {
    for (name, operation) in operations() {
        let answers = &operation.responses.responses;
        for status in ["400", "401", "403", "500"] {
            assert!(answers.contains_key(status), "{name} {status}");
        }
        assert_eq!(name.contains('{'), answers.contains_key("404"), "{name}");
        assert_eq!(
            operation.request_body.is_some(),
            answers.contains_key("415"),
            "{name}"
        );
    }
}

#[test]
fn operations_have_names_of_their_own_and_say_what_they_do() {
    let mut ids = Vec::new();
    for (name, operation) in operations() {
        assert!(
            operation.summary.is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        ids.push(operation.operation_id.unwrap_or_default());
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
}

#[test]
fn every_schema_that_is_referred_to_is_there() {
    let text = String::from_utf8(openapi::json().to_vec()).unwrap();
    let api: serde_json::Value = serde_json::from_str(&text).unwrap();
    let known = api["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(known.contains_key(name), "{name}");
    }
}

#[test]
fn who_may_only_read_changes_nothing() {
    for route in routes::all() {
        let item = &route.item;
        let changes = item.put.is_some()
            || item.post.is_some()
            || item.patch.is_some()
            || item.delete.is_some();
        // What would be decided is asked with a body, and changes nothing.
        let only_asks = route.path.ends_with("/explain") || route.path.ends_with("/plan");
        // Whoever may look may keep the question.
        let is_own = route.path.starts_with("/api/v1/saved-searches");
        match route.needs {
            Needs::Everywhere(permission) | Needs::SomeTeam(permission) => {
                let reads = permission == permission.sight();
                assert!(!(reads && changes) || only_asks || is_own, "{}", route.path);
            }
            Needs::Credential => assert!(!changes, "{}", route.path),
            Needs::Session | Needs::Nobody => {
                assert!(route.path.starts_with("/api/v1/session"), "{}", route.path)
            }
        }
    }
}

#[test]
fn tokens_are_for_administrators() {
    for route in routes::all() {
        if route.path.starts_with("/api/v1/tokens") {
            let is_change = route.item.get.is_none();
            let expected = match is_change {
                true => Permission::AccessAdminister,
                false => Permission::AccessRead,
            };
            assert_eq!(route.needs, Needs::SomeTeam(expected), "{}", route.path);
        }
    }
}

#[test]
fn the_manual_names_every_route_with_its_permission() {
    let manual = include_str!("../../../../docs/rest.md");
    let mut described = 0;
    for route in routes::all() {
        let permission = route.needs;
        let item = &route.item;
        for (method, operation) in [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ] {
            if operation.is_some() {
                let line = format!("| `{method} {}` | {permission} |", route.path);
                assert!(manual.contains(&line), "docs/rest.md lacks {line}");
                described += 1;
            }
        }
    }
    let lines = manual
        .lines()
        .filter(|line| line.contains(" /api/v1/") && line.starts_with("| `"));
    assert_eq!(
        lines.count(),
        described,
        "docs/rest.md names a route that is not there"
    );
}

/// The dashboard's types are made of `ui/openapi.json`, which is this description, operation by operation
/// and schema by schema on lines of their own. With `CERTWRIGHT_WRITE_DESCRIPTION=1` the file is written.
#[test]
fn the_dashboard_is_made_from_this_description() {
    let api: Value = serde_json::from_slice(&openapi::json()).unwrap();
    let described = on_lines(&api, 3) + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/openapi.json");
    if std::env::var_os("CERTWRIGHT_WRITE_DESCRIPTION").is_some() {
        std::fs::write(&file, &described).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    let difference = kept
        .lines()
        .zip(described.lines())
        .find(|(kept, described)| kept != described);
    assert!(
        kept == described,
        "ui/openapi.json is old: `make ui-api` writes it. The first difference: {difference:?}"
    );
}

/// JSON with the members of its outer `levels` on lines of their own.
fn on_lines(value: &Value, levels: u8) -> String {
    match value {
        Value::Object(members) if levels > 0 => {
            let lines: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), on_lines(value, levels - 1)))
                .collect();
            format!("{{\n{}\n}}", lines.join(",\n"))
        }
        other => other.to_string(),
    }
}
