//! What a server answered: the value it holds, or why the request was refused.

use protocols::rest::problem::Problem;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;

use crate::cli::exit::{Exit, Failure};

/// Whether the same request may succeed a little later: the server says when.
pub(super) fn may_pass(response: &Response) -> bool {
    matches!(response.status().as_u16(), 409 | 429 | 503)
        && response.headers().contains_key(RETRY_AFTER)
}

pub(super) async fn json<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    response.json().await.map_err(|error| {
        let text = "the answer is not what this version of certwright expects";
        Failure::from(anyhow::Error::from(error.without_url()).context(text))
    })
}

pub(super) async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let is_problem = is_problem(response.headers());
    let body = response.text().await.unwrap_or_default();
    let text = match serde_json::from_str::<Problem>(&body) {
        Ok(problem) if is_problem => told(&problem),
        Ok(_) | Err(_) => {
            format!("the server answers {status}; is the URL that of a certwright server?")
        }
    };
    Failure::new(Exit::of_status(status.as_u16()), anyhow::anyhow!(text))
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/problem+json"))
}

fn told(problem: &Problem) -> String {
    let mut text = match problem.faults.as_slice() {
        [] | [_] => problem.detail.clone(),
        faults => format!("{}:\n  {}", problem.title, faults.join("\n  ")),
    };
    if let (500.., Some(id)) = (problem.status, &problem.request_id) {
        text.push_str(&format!(" (request {id})"));
    }
    text
}

#[cfg(test)]
mod tests {
    use protocols::rest::problem::ProblemKind;

    use super::*;

    #[test]
    fn a_problem_is_told_in_its_own_words() {
        let mut problem = Problem::new(ProblemKind::InvalidRequest, "a; b");
        assert_eq!(told(&problem), "a; b");
        problem.faults = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(told(&problem), "The request is invalid:\n  a\n  b");
        let mut ours = Problem::new(ProblemKind::Internal, "look there");
        ours.request_id = Some("req_1".to_owned());
        assert_eq!(told(&ours), "look there (request req_1)");
    }
}
