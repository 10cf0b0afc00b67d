//! A1: every route x every built-in role x own team, foreign team, no credential. The routes are
//! those of the API's description; what each is about stands in [`super::routes`].

use std::collections::{BTreeMap, HashMap};

use domain::permission::Permission;
use domain::profile::preset;
use domain::role::Role;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use reqwest::Method;
use serde_json::{Value, json};

use super::objects::{Maker, Object};
use super::routes::{About, Bodies, ROWS, Row};
use super::{Program, server_with};

const OWN: &str = "web";
const FOREIGN: &str = "mail";

/// A role, in the own team or everywhere.
struct Subject {
    role: Role,
    is_global: bool,
    program: Program,
}

/// An operation as the description has it.
struct Operation {
    needs: Needs,
    everywhere: bool,
    answers: Vec<String>,
}

/// What its description says that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Permission(Permission),
    Credential,
    Session,
    Nothing,
}

fn operations(document: &Value) -> BTreeMap<String, Operation> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = operation["description"].as_str().unwrap();
            let needs = text.rsplit("\n\n").next().unwrap();
            let permission = needs.split('`').nth(1).unwrap();
            let answers = operation["responses"].as_object().unwrap();
            let described = Operation {
                needs: match permission {
                    "any" => Needs::Credential,
                    "session" => Needs::Session,
                    "none" => Needs::Nothing,
                    name => Needs::Permission(name.parse().unwrap()),
                },
                everywhere: needs.contains("held everywhere"),
                answers: answers.keys().cloned().collect(),
            };
            operations.insert(format!("{} {path}", method.to_uppercase()), described);
        }
    }
    operations
}

/// What the rules say is answered.
fn expected(row: &Row, operation: &Operation, subject: &Subject, is_own: bool) -> u16 {
    if let Needs::Permission(permission) = operation.needs
        && !subject.role.grants(permission)
    {
        return 403;
    }
    let reaches = subject.is_global || is_own;
    match row.about {
        About::Credential | About::Shared | About::List(_) | About::Session | About::SignIn => {
            row.answer
        }
        About::Everywhere if subject.is_global => row.answer,
        About::Turn(_) if reaches && subject.role != Role::Approver => 403,
        About::One(_) | About::Turn(_) | About::Under(_) | About::New if reaches => row.answer,
        About::Everywhere | About::Under(_) => 403,
        About::One(_) | About::Turn(_) => 404,
        // A team that one may not act in is no team to name.
        About::New => 400,
    }
}

struct Matrix<'a> {
    maker: Maker<'a>,
    subjects: Vec<Subject>,
    nobody: Program,
    /// Objects that are only looked at, by noun and team.
    lasting: HashMap<(Object, &'static str), String>,
    csr: String,
    other_csr: String,
    profile: Value,
    failures: Vec<String>,
}

impl Matrix<'_> {
    async fn object(&mut self, row: &Row, team: &'static str) -> String {
        let (About::One(object) | About::List(object) | About::Turn(object) | About::Under(object)) =
            row.about
        else {
            let name = match row.route.contains("/issuers/") {
                true => "issuing".to_owned(),
                false => format!("none-{}", self.maker.number()),
            };
            return name;
        };
        if !row.route.starts_with("GET ") {
            return self.maker.make(object, team).await;
        }
        if let Some(known) = self.lasting.get(&(object, team)) {
            return known.clone();
        }
        let made = self.maker.make(object, team).await;
        self.lasting.insert((object, team), made.clone());
        made
    }

    async fn ask(&mut self, row: &Row, who: Option<usize>, team: &'static str) -> (u16, Value) {
        let (method, path) = row.route.split_once(' ').unwrap();
        let object = self.object(row, team).await;
        let path = path.replace("{id}", &object).replace("{name}", &object);
        let path = path.replace("{version}", "1");
        let path = match row.about {
            About::List(
                Object::Profile
                | Object::Directory
                | Object::EstLabel
                | Object::ScepService
                | Object::CmpEndpoint
                | Object::Team,
            ) => path,
            About::List(_) => format!("{path}?limit=500"),
            // A stream that follows the log would not end.
            About::Credential if path.ends_with("/stream") => format!("{path}?follow=false"),
            _ => path,
        };
        let needs_token = row.route == "POST /api/v1/grants";
        let token = match needs_token {
            true => self.maker.bare_token(OWN).await,
            false => String::new(),
        };
        let bodies = Bodies {
            team,
            number: self.maker.number(),
            csr: &self.csr,
            other_csr: &self.other_csr,
            profile: &self.profile,
            token: &token,
        };
        let body = row.body.map(|make| make(&bodies));
        let program = match who {
            Some(who) => &self.subjects[who].program,
            None => &self.nobody,
        };
        let method: Method = method.parse().unwrap();
        let (status, answer) = program.call(method, &path, body.as_ref()).await;
        (status.as_u16(), answer)
    }

    async fn check(&mut self, row: &Row, operation: &Operation) {
        let (status, _) = self.ask(row, None, OWN).await;
        let wanted = match row.about {
            About::SignIn => row.answer,
            _ => 401,
        };
        self.compare(row, "without a credential", status, wanted, &Value::Null);
        if row.about == About::SignIn {
            // Who presents something is nobody here either.
            return;
        }
        for who in 0..self.subjects.len() {
            for team in [OWN, FOREIGN] {
                let (status, answer) = self.ask(row, Some(who), team).await;
                let subject = &self.subjects[who];
                let wanted = expected(row, operation, subject, team == OWN);
                let place = if subject.is_global { "everywhere" } else { OWN };
                let name = format!("{} {place}, object of {team}", subject.role);
                if let (About::List(_), 200) = (row.about, status) {
                    self.check_list(row, &name, who, team, &answer).await;
                }
                self.compare(row, &name, status, wanted, &answer);
            }
        }
    }

    /// A list shows the own team's object and not the other's.
    async fn check_list(
        &mut self,
        row: &Row,
        name: &str,
        who: usize,
        team: &'static str,
        answer: &Value,
    ) {
        let object = self.object(row, team).await;
        let items = answer["items"].as_array().unwrap();
        let named = |item: &Value| item["id"] == *object || item["name"] == *object;
        let is_listed = items.iter().any(named);
        let is_seen = self.subjects[who].is_global || team == OWN;
        if is_listed != is_seen {
            self.failures
                .push(format!("{} {name}: listed: {is_listed}", row.route));
        }
    }

    fn compare(&mut self, row: &Row, name: &str, status: u16, wanted: u16, answer: &Value) {
        if status != wanted {
            self.failures.push(format!(
                "{} {name}: {status} instead of {wanted}: {}",
                row.route, answer["detail"]
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a01_every_route_answers_every_role_by_whose_the_object_is() {
    let (server, administrator) = server_with(&[OWN, FOREIGN]).await;
    let (_, document) = administrator.get("/api/openapi.json").await;
    let operations = operations(&document);
    let classified: Vec<_> = ROWS.iter().map(|row| row.route).collect();
    for route in operations.keys() {
        assert!(
            classified.contains(&route.as_str()),
            "{route} is not classified in access/routes.rs"
        );
    }
    let mut subjects = Vec::new();
    for role in Role::ALL {
        for team in [Some(OWN), None] {
            subjects.push(Subject {
                role,
                is_global: team.is_none(),
                program: Program::with(&server, role.as_str(), team).await,
            });
        }
    }
    let request = |key: &LocalKey| {
        let names = [GeneralName::Dns("a.example.org".to_owned())];
        csr::build(&DistinguishedName::empty(), &names, &[], key).unwrap()
    };
    let pem = |der: &[u8]| pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, der);
    let der = request(&LocalKey::generate(KeyAlgorithm::EcP256).unwrap());
    let other = request(&LocalKey::generate(KeyAlgorithm::EcP256).unwrap());
    let mut matrix = Matrix {
        csr: pem(&der),
        other_csr: pem(&other),
        maker: Maker::new(&server, &administrator, der).await,
        subjects,
        nobody: Program::nobody(&server),
        lasting: HashMap::new(),
        profile: json!(preset::tls_server("issuing")),
        failures: Vec::new(),
    };
    for row in ROWS {
        let operation = operations.get(row.route);
        let operation = operation.unwrap_or_else(|| panic!("{} is not described", row.route));
        let is_everywhere = row.about == About::Everywhere;
        assert_eq!(operation.everywhere, is_everywhere, "{}", row.route);
        let is_sign_in = operation.needs == Needs::Nothing;
        assert_eq!(is_sign_in, row.about == About::SignIn, "{}", row.route);
        let mut answers = vec![row.answer];
        answers.extend((!is_sign_in).then_some([401, 403]).into_iter().flatten());
        answers.extend(matches!(row.about, About::One(_) | About::Turn(_)).then_some(404));
        for answer in answers.iter().map(ToString::to_string) {
            let described = operation.answers.contains(&answer);
            assert!(described, "{} does not describe {answer}", row.route);
        }
        matrix.check(row, operation).await;
    }
    let failures = matrix.failures;
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
