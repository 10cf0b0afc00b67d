//! Open Cybersecurity Schema Framework, schema 1.8: one JSON object for each event.
//!
//! There is no class for the lifecycle of certificates. What is done to our things is Entity
//! Management (3004); what people do to be let in is Authentication (3002); what happens to people
//! is Account Change (3001); who may do what is User Access Management (3005); certificates that
//! end, and what comes of it, are Compliance Findings (2003).

use serde_json::{Map, Value, json};

use super::{Level, PRODUCT, VERSION, is_failure, noun, text, title, verb};
use crate::rest::audit::{ActorKind, Event};

/// The schema that is written.
pub const SCHEMA: &str = "1.8.0";

/// The event as an OCSF object.
pub fn object(event: &Event, level: Level) -> Value {
    let class = Class::of(event);
    let (activity_id, activity_name) = class.activity(event);
    let (severity_id, severity) = severity(level);
    let (status_id, status) = match is_failure(event) {
        true => (2, "Failure"),
        false => (1, "Success"),
    };
    let mut object = json!({
        "class_uid": class.uid(),
        "class_name": class.name(),
        "category_uid": class.uid() / 1000,
        "category_name": class.category(),
        "activity_id": activity_id,
        "activity_name": activity_name,
        "type_uid": class.uid() * 100 + activity_id,
        "type_name": format!("{}: {activity_name}", class.name()),
        "time": event.at.millis(),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": title(event),
        "metadata": metadata(event),
        "actor": actor(event),
        "unmapped": { "data": event.data, "object": event.object },
    });
    if let Value::Object(members) = &mut object {
        add_source(members, event);
        class.add(members, event);
    }
    object
}

fn metadata(event: &Event) -> Value {
    let mut metadata = json!({
        "version": SCHEMA,
        "uid": event.id,
        "event_code": event.name,
        "log_name": "audit",
        "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION },
    });
    if let Some(request) = &event.request_id {
        metadata["correlation_uid"] = json!(request);
    }
    metadata
}

fn actor(event: &Event) -> Value {
    match event.actor.kind {
        ActorKind::System => json!({ "app_name": event.actor.id }),
        _ => json!({ "user": user(event) }),
    }
}

fn user(event: &Event) -> Value {
    let kind = serde_json::to_value(event.actor.kind).unwrap_or(Value::Null);
    json!({ "uid": event.actor.id, "name": event.actor.id, "type_id": 99, "type": kind })
}

fn add_source(members: &mut Map<String, Value>, event: &Event) {
    if let Some(address) = &event.actor.address {
        members.insert("src_endpoint".to_owned(), json!({ "ip": address }));
    }
    if let Some(reason) = text(event, "reason") {
        members.insert("status_detail".to_owned(), json!(reason));
    }
}

fn severity(level: Level) -> (u8, &'static str) {
    match level {
        Level::Info => (1, "Informational"),
        Level::Notice => (2, "Low"),
        Level::Warning => (3, "Medium"),
        Level::Critical => (5, "Critical"),
    }
}

/// The classes that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    AccountChange,
    Authentication,
    ComplianceFinding,
    EntityManagement,
    UserAccess,
}

impl Class {
    fn of(event: &Event) -> Self {
        match (noun(event), verb(event)) {
            ("session" | "login" | "sign_in", _) => Self::Authentication,
            ("user", _) => Self::AccountChange,
            ("role" | "grant" | "role_grant", _) => Self::UserAccess,
            ("incident" | "renewal", _) | ("certificate", "expiring" | "expired") => {
                Self::ComplianceFinding
            }
            _ => Self::EntityManagement,
        }
    }

    fn uid(self) -> u32 {
        match self {
            Self::ComplianceFinding => 2003,
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ComplianceFinding => "Compliance Finding",
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
        }
    }

    fn category(self) -> &'static str {
        match self {
            Self::ComplianceFinding => "Findings",
            Self::AccountChange
            | Self::Authentication
            | Self::EntityManagement
            | Self::UserAccess => "Identity & Access Management",
        }
    }

    fn activity(self, event: &Event) -> (u32, &'static str) {
        let verb = verb(event);
        match self {
            Self::ComplianceFinding => match verb {
                "closed" => (3, "Close"),
                "acknowledged" | "changed" => (2, "Update"),
                _ => (1, "Create"),
            },
            Self::AccountChange => match verb {
                "created" => (1, "Create"),
                "enabled" => (2, "Enable"),
                "password_changed" => (3, "Password Change"),
                "disabled" => (5, "Disable"),
                "deleted" => (6, "Delete"),
                "locked" => (9, "Lock"),
                _ => (99, "Other"),
            },
            Self::Authentication => match verb {
                "ended" | "closed" | "revoked" | "signed_out" => (2, "Logoff"),
                "created" | "opened" | "failed" | "started" | "signed_in" => (1, "Logon"),
                _ => (99, "Other"),
            },
            Self::UserAccess => match verb {
                "granted" | "created" => (1, "Assign Privileges"),
                "revoked" | "withdrawn" | "deleted" => (2, "Revoke Privileges"),
                _ => (99, "Other"),
            },
            Self::EntityManagement => match verb {
                "created" | "imported" | "requested" => (1, "Create"),
                "changed" | "key_changed" | "edited" => (3, "Update"),
                "deleted" => (4, "Delete"),
                "issued" => (6, "Enroll"),
                "revoked" => (7, "Unenroll"),
                "activated" | "enabled" => (8, "Enable"),
                "retired" | "deactivated" | "disabled" => (9, "Disable"),
                _ => (99, "Other"),
            },
        }
    }

    /// The members that the class asks for.
    fn add(self, members: &mut Map<String, Value>, event: &Event) {
        let mut put = |name: &str, value| members.insert(name.to_owned(), value);
        match self {
            Self::ComplianceFinding => {
                put("finding_info", finding(event));
                put("compliance", json!({ "control": "certificate renewal" }));
            }
            Self::Authentication => {
                put("user", user(event));
            }
            Self::AccountChange => {
                put("user", json!({ "uid": event.object, "name": event.object }));
            }
            Self::UserAccess => {
                put("user", json!({ "uid": event.object, "name": event.object }));
                let privilege = text(event, "role").or_else(|| text(event, "name"));
                put(
                    "privileges",
                    json!(privilege.into_iter().collect::<Vec<_>>()),
                );
            }
            Self::EntityManagement => {
                put("entity", entity(event, event.data.get("before")));
                if let Some(after) = event.data.get("after") {
                    put("entity_result", entity(event, Some(after)));
                }
            }
        }
    }
}

fn finding(event: &Event) -> Value {
    let mut finding = json!({
        "uid": event.object,
        "title": title(event),
        "created_time": event.at.millis(),
        "types": [event.name],
    });
    if let Some(certificate) = text(event, "certificate") {
        finding["related_events"] = json!([{ "uid": certificate, "type": "certificate" }]);
    }
    finding
}

fn entity(event: &Event, state: Option<&Value>) -> Value {
    let mut entity = json!({ "uid": event.object, "type": noun(event) });
    if let Some(name) = text(event, "name") {
        entity["name"] = json!(name);
    }
    let data = match noun(event) {
        "certificate" => Some(certificate(event)),
        _ => state.cloned(),
    };
    if let Some(data) = data.filter(|data| !data.is_null()) {
        entity["data"] = data;
    }
    entity
}

/// The object `certificate` of the schema, of what is known.
fn certificate(event: &Event) -> Value {
    let mut certificate = json!({ "uid": event.object });
    for (member, from) in [
        ("serial_number", "serial"),
        ("issuer", "issuer"),
        ("subject", "subject"),
    ] {
        if let Some(value) = text(event, from) {
            certificate[member] = json!(value);
        }
    }
    if let Some(names @ Value::Array(_)) = event.data.get("names") {
        certificate["sans"] = json!(
            names
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| json!({ "name": name, "type": "dNSName" }))
                .collect::<Vec<_>>()
        );
    }
    if let Some(fingerprint) = text(event, "fingerprint") {
        certificate["fingerprints"] =
            json!([{ "algorithm_id": 3, "algorithm": "SHA-256", "value": fingerprint }]);
    }
    let not_after = text(event, "not_after").and_then(|text| text.parse().ok());
    if let Some(at) = not_after.map(|at: pki::time::Timestamp| at.millis()) {
        certificate["expiration_time"] = json!(at);
    }
    certificate
}
