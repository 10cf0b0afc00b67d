//! What `/` shows in a binary without the dashboard: where things are, and how to build it in.

use axum::response::Response;
use http::StatusCode;
use lifecycle::Lifecycle;

use super::{escape, page as plain_page};

pub(super) async fn page(lifecycle: &Lifecycle) -> Response {
    let public_url = escape(&lifecycle.settings().public_url);
    let directories = lifecycle.list_directories().await.unwrap_or_default();
    let list: String = directories
        .iter()
        .map(|directory| {
            let url = format!("{public_url}/acme/{}/directory", escape(&directory.name));
            format!("<li><a href=\"{url}\"><code>{url}</code></a></li>")
        })
        .collect();
    plain_page(
        StatusCode::OK,
        "Certwright is running",
        &format!(
            "<p>Point any ACME client at a directory:</p><ul>{list}</ul>\
             <p>Trust the root certificate: <a href=\"/root.pem\"><code>{public_url}/root.pem</code></a></p>\
             <p>Work with it from a shell: <code>certwright --help</code></p>\
             <p class=\"note\">The dashboard is not built into this binary. In a source checkout with \
             Node.js, <code>make run</code> builds it in; by hand it is <code>npm --prefix ui ci &amp;&amp; \
             npm --prefix ui run build</code>, and then <code>cargo build</code>.</p>"
        ),
    )
}
