//! The dashboard, as it was built into the binary, and two pages that work without it: the setup
//! link's, on which people choose their first password, and a decision from a mailbox.

mod approve;
mod assets;
mod shell;
mod welcome;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use domain::event::ActorKind;
use domain::token::TokenSecret;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, USER_AGENT,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use lifecycle::sign_in::Started;
use lifecycle::sign_in::setup::{FirstAdministrator, OpenSetup, SetupLinkError};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::origin::Origin;

/// The dashboard's pages and files, `/setup/<secret>` and `/approve/<secret>`.
pub fn router(lifecycle: Arc<Lifecycle>) -> Router {
    let pages = shell::PAGES.into_iter();
    let router: Router<Arc<Lifecycle>> = pages.fold(Router::new(), |router, path| {
        router.route(path, get(shell::page))
    });
    router
        .route("/assets/{name}", get(assets::asset))
        .route("/icon.svg", get(assets::icon))
        .route("/setup/{secret}", get(ask).post(redeem))
        .route(
            "/approve/{secret}",
            get(approve::look).post(approve::answer),
        )
        .route("/style.css", get(style))
        .with_state(lifecycle)
}

/// A link that is only looked at (by a mail scanner, say) is not used up: that takes the button.
async fn ask(State(lifecycle): State<Arc<Lifecycle>>, Path(secret): Path<String>) -> Response {
    match lifecycle.open_setup(&secret).await {
        Ok(Some(open)) => form(StatusCode::OK, &open, None),
        Ok(None) => spent(),
        Err(error) => unavailable(&error),
    }
}

async fn redeem(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(secret): Path<String>,
    request: axum::extract::Request,
) -> Response {
    if is_cross_site(request.headers()) {
        return page(
            StatusCode::FORBIDDEN,
            "Not from here",
            "<p>Open the setup link itself; another site sent you here.</p>",
        );
    }
    let (parts, body) = request.into_parts();
    let caller = Origin::of(&parts.extensions).caller(ActorKind::Anonymous, "setup link");
    let user_agent = parts
        .headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let Ok(body) = to_bytes(body, MAX_FORM).await else {
        return spent();
    };
    let open = match lifecycle.open_setup(&secret).await {
        Ok(Some(open)) => open,
        Ok(None) => return spent(),
        Err(error) => return unavailable(&error),
    };
    let filled = Filled::read(&body);
    let Filled {
        name,
        display_name,
        password,
        again,
    } = filled;
    if password.expose_secret() != again.expose_secret() {
        let fault = "the two passwords are not the same";
        return form(StatusCode::BAD_REQUEST, &open, Some(fault));
    }
    let done = match &open {
        OpenSetup::Installation => {
            let person = FirstAdministrator {
                name,
                display_name,
                password,
                user_agent,
            };
            let made = lifecycle.set_up_first_administrator(&secret, person, &caller);
            made.await.map(|made| (made.started, Some(made.token)))
        }
        OpenSetup::User(_) => {
            let made = lifecycle.accept_setup(&secret, &password, user_agent, &caller);
            made.await.map(|started| (started, None))
        }
    };
    match done {
        Ok((started, token)) => welcome(&lifecycle, &started, token.as_ref()),
        Err(SetupLinkError::Spent) => spent(),
        Err(SetupLinkError::Store(error)) => unavailable(&error),
        Err(error) => form(StatusCode::BAD_REQUEST, &open, Some(&error.to_string())),
    }
}

/// What the form was filled in with.
struct Filled {
    name: String,
    display_name: String,
    password: SecretString,
    again: SecretString,
}

impl Filled {
    fn read(body: &[u8]) -> Self {
        let mut values = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            values.insert(name.into_owned(), value.into_owned());
        }
        let mut take = |name: &str| values.remove(name).unwrap_or_default();
        Self {
            name: take("name"),
            display_name: take("display_name"),
            password: SecretString::from(take("password")),
            again: SecretString::from(take("again")),
        }
    }
}

fn form(status: StatusCode, open: &OpenSetup, fault: Option<&str>) -> Response {
    let fault = fault.map_or_else(String::new, |fault| {
        format!("<p role=\"alert\"><b>Not yet:</b> {}.</p>", escape(fault))
    });
    let (title, fields) = match open {
        OpenSetup::Installation => (
            "Set up the first administrator",
            "<p>This link works once. It makes your account, which may do everything, and an API \
             token for the command line, which is shown on the next page and nowhere else.</p>\
             <p><label>User name<br><input name=\"name\" required maxlength=\"64\" \
             autocomplete=\"username\" autofocus></label></p>\
             <p><label>Your name<br><input name=\"display_name\" maxlength=\"200\" \
             autocomplete=\"name\"></label></p>"
                .to_owned(),
        ),
        OpenSetup::User(user) => (
            "Choose your password",
            format!(
                "<p>You sign in as <b>{}</b>. This link works once.</p>\
                 <input type=\"hidden\" name=\"username\" value=\"{0}\" autocomplete=\"username\">",
                escape(user.name.as_str())
            ),
        ),
    };
    page(
        status,
        title,
        &format!(
            "{fault}<form method=\"post\">{fields}\
             <p><label>Password, 12 characters or more<br><input name=\"password\" type=\"password\" \
             required minlength=\"12\" autocomplete=\"new-password\"></label></p>\
             <p><label>The same again<br><input name=\"again\" type=\"password\" required \
             minlength=\"12\" autocomplete=\"new-password\"></label></p>\
             <button>Go on</button></form>"
        ),
    )
}

/// Signed in, and for the first administrator the token.
fn welcome(lifecycle: &Lifecycle, started: &Started, token: Option<&TokenSecret>) -> Response {
    let token = token.map_or_else(String::new, |token| {
        format!(
            "<p>Your API token for the command line. Copy it now; it is not shown again.</p>\
             <pre>{}</pre><p>Use it: <code>certwright login --url {} --ca root.pem</code></p>",
            escape(token.expose()),
            escape(&lifecycle.settings().public_url)
        )
    });
    let body = format!(
        "<p>You are signed in as <b>{}</b>. Add an authenticator or a passkey next, so that a password \
         alone opens nothing.</p>{token}<p><a class=\"button\" href=\"/\">Open the dashboard</a></p>",
        escape(started.user.name.as_str())
    );
    let answer = page(StatusCode::OK, "Welcome", &body);
    crate::rest::signed_in(lifecycle, started, answer)
}

/// A form with a few short fields.
const MAX_FORM: usize = 16 * 1024;

/// Browsers say where a form was sent from (Fetch Metadata); the secret in the path is the
/// actual guard.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

fn spent() -> Response {
    page(
        StatusCode::NOT_FOUND,
        "This link is used up",
        "<p>A setup link works once, and for a week. An administrator gives you another: \
         <code>certwright user reset NAME</code>. Where there is none, make a token beside the data \
         directory:</p>\
         <pre>certwright token create --data DIR --role administrator --name NAME</pre>",
    )
}

fn unavailable(error: &dyn std::error::Error) -> Response {
    tracing::error!(error = %error, "setup link not answered");
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available",
        "<p>The store does not answer. The server's log says why.</p>",
    )
}

async fn style() -> Response {
    let headers = [
        (http::header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("style.css")).into_response()
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} - Certwright</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let headers = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
