//! Channels: their secrets, where they may lead, and the templates that are taken.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::StoreError;
use testkit::TestServer;
use testkit::receiver::{Receiver, Reply};

use super::{Api, SECRET, received};

fn webhook(url: &str) -> Value {
    json!({ "kind": "webhook", "settings": { "url": url, "secret": SECRET } })
}

async fn test(api: &Api, server: &TestServer, name: &str) -> Value {
    let path = format!("notification-channels/{name}/test");
    let (status, body) = api.call(server, Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_go_in_and_never_come_out() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    let path = "notification-channels/hook";
    let made = api.put(&server, path, webhook(&receiver.url())).await;
    assert_eq!(made["secrets"], json!(["secret"]));
    // Without the secret it stays as it is.
    let rules = made["rules"].clone();
    let changed = api.put(&server, path, rules.clone()).await;
    assert_eq!(test(&api, &server, "hook").await["delivered"], true);
    // It was given for one place and is sent to no other.
    let mut moved = rules.clone();
    moved["settings"]["url"] = json!("http://127.0.0.1:9/elsewhere");
    let fault = api.refused(&server, path, moved).await;
    assert!(fault.contains("secret"), "{fault}");
    let mut removed = rules;
    removed["settings"]["secret"] = Value::Null;
    let fault = api.refused(&server, path, removed).await;
    assert!(fault.contains("secret"), "{fault}");
    let everywhere = [
        made,
        changed,
        api.get(&server, path).await,
        api.get(&server, "notification-channels").await,
        api.get(&server, "audit?limit=100").await,
        api.get(&server, "audit/export?format=cef").await,
    ];
    for answer in everywhere {
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n01_a_channel_leads_nowhere_the_server_may_not_go() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    server
        .dns
        .set_addresses("hooks.example.org", &["169.254.169.254".parse().unwrap()]);
    let own = server.url().replace("localhost", "127.0.0.1");
    for (name, url, says) in [
        ("metadata", "http://169.254.169.254/latest", "metadata"),
        ("by-name", "http://hooks.example.org/latest", "metadata"),
        ("mapped", "http://[::ffff:127.0.0.1]/", "IPv6"),
        ("unspecified", "http://0.0.0.0/", "unspecified"),
        ("itself", own.as_str(), "itself listens"),
    ] {
        let path = format!("notification-channels/{name}");
        api.put(&server, &path, webhook(url)).await;
        let result = test(&api, &server, name).await;
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(says), "{name}: {error}");
    }
    // A change is judged like the first version, and so is every other kind.
    let receiver = Receiver::start().await;
    let path = "notification-channels/changing";
    api.put(&server, path, webhook(&receiver.url())).await;
    api.put(&server, path, webhook("http://169.254.169.254/"))
        .await;
    assert_eq!(test(&api, &server, "changing").await["delivered"], false);
    for (name, kind, settings) in [
        (
            "mail",
            "smtp",
            json!({"host": "169.254.169.254", "tls": "none", "from": "a@b.example", "to": ["c@d.example"]}),
        ),
        (
            "log",
            "syslog",
            json!({"host": "169.254.169.254", "transport": "tcp"}),
        ),
        (
            "datagrams",
            "syslog",
            json!({"host": "169.254.169.254", "transport": "udp"}),
        ),
    ] {
        let path = format!("notification-channels/{name}");
        api.put(&server, &path, json!({"kind": kind, "settings": settings}))
            .await;
        let error = test(&api, &server, name).await["error"].to_string();
        assert!(error.contains("metadata"), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_is_refused_when_it_is_saved() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let hook = webhook("https://hooks.example.org/x");
    let with = |change: Value| {
        let mut rules = hook.clone();
        for (name, value) in change.as_object().unwrap() {
            rules[name] = value.clone();
        }
        rules
    };
    for (rules, says) in [
        (with(json!({"kind": "pigeon"})), "smtp"),
        (
            with(json!({"settings": {"url": "https://a.example"}})),
            "secret",
        ),
        (
            with(json!({"settings": {"url": "ftp://a.example", "secret": SECRET}})),
            "https://",
        ),
        (
            with(json!({"settings": {"url": "https://a.example", "secret": "short"}})),
            "24 octets",
        ),
        (
            with(json!({"settings": {"url": "https://a.example", "secret": SECRET, "uri": 1}})),
            "uri",
        ),
        (
            with(json!({"template": {"text": "{\n \"a\": {{ event.name }\n}"}})),
            "line 2",
        ),
        (
            with(json!({"template": {"text": "{{ event.name | shout }}"}})),
            "column",
        ),
        (with(json!({"template": {"text": "no json"}})), "JSON"),
        (
            json!({"kind": "slack", "settings": {"url": "http://a.example/x"}}),
            "https://",
        ),
        (
            json!({"kind": "slack", "settings": {"url": "https://a.example/x"}, "stream": "now"}),
            "event log",
        ),
        (
            json!({"kind": "smtp", "settings": {"host": "a.example", "from": "nobody"}}),
            "mail address",
        ),
        (
            json!({"kind": "smtp", "settings": {"host": "a.example", "from": "a@b.example", "tls": "none", "username": "a", "password": "b"}}),
            "clear",
        ),
        (
            json!({"kind": "syslog", "settings": {"host": "a.example", "facility": 24}}),
            "facility",
        ),
        (
            json!({"kind": "syslog", "settings": {"host": "a.example", "ca": "no PEM"}}),
            "ca",
        ),
    ] {
        let fault = api.refused(&server, "notification-channels/x", rules).await;
        assert!(fault.contains(says), "{fault}");
    }
    let fault = api
        .refused(&server, "notification-channels/No!", hook.clone())
        .await;
    assert!(fault.contains("name"), "{fault}");
    api.put(&server, "notification-channels/hook", hook.clone())
        .await;
    for (rule, says) in [
        (json!({"channels": [], "events": ["*"]}), "channels"),
        (json!({"channels": ["hook"], "events": []}), "events"),
        (json!({"channels": ["other"], "events": ["*"]}), "other"),
        (
            json!({"channels": ["hook"], "events": ["cert*"]}),
            "column 5",
        ),
        (
            json!({"channels": ["hook"], "events": ["*"], "when": "event.name =="}),
            "line 1, column",
        ),
        (
            json!({"channels": ["hook"], "events": ["*"], "ladder": [5, 5]}),
            "twice",
        ),
        (
            json!({"channels": ["hook"], "events": ["*"], "recipients": {"addresses": ["x"]}}),
            "mail address",
        ),
    ] {
        let fault = api.refused(&server, "notification-rules/x", rule).await;
        assert!(fault.contains(says), "{fault}");
    }
    assert_eq!(
        api.get(&server, "notification-rules").await["items"],
        json!([])
    );
    // What rules send to is not deleted.
    let rule = json!({"channels": ["hook"], "events": ["*"]});
    api.put(&server, "notification-rules/all", rule).await;
    let path = "notification-channels/hook";
    let (status, _) = api.call(&server, Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let path = "notification-rules/all";
    let (status, _) = api.call(&server, Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let path = "notification-channels/hook";
    let (status, _) = api.call(&server, Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_shows_what_a_template_makes() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let path = "notification-templates/preview";
    let request =
        json!({"kind": "smtp", "template": {"subject": "{{ event.data.names[0] }} ends"}});
    let (status, made) = api.call(&server, Method::POST, path, Some(request)).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    assert_eq!(made["subject"], "www.example.org ends");
    assert!(
        made["text"]
            .as_str()
            .unwrap()
            .contains("www.example.org, example.org")
    );
    assert!(
        made["html"]
            .as_str()
            .unwrap()
            .contains("<td>www.example.org")
    );
    for kind in api.get(&server, "notification-kinds").await["items"]
        .as_array()
        .unwrap()
    {
        let request = json!({"kind": kind["name"]});
        let (status, made) = api.call(&server, Method::POST, path, Some(request)).await;
        assert_eq!(status, StatusCode::OK, "{made}");
    }
    let broken = json!({"kind": "slack", "template": {"text": "{% for %}"}});
    let (status, _) = api.call(&server, Method::POST, path, Some(broken)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u01_hostile_texts_are_text_in_chat_messages() {
    let server = TestServer::start().await;
    let (api, slack, teams) = (
        Api::of(&server).await,
        Receiver::start().await,
        Receiver::start().await,
    );
    for (name, receiver) in [("slack", &slack), ("teams", &teams)] {
        let channel = json!({"kind": name, "settings": {"url": receiver.url()}});
        api.put(&server, &format!("notification-channels/{name}"), channel)
            .await;
    }
    let rule =
        json!({"channels": ["slack", "teams"], "events": ["incident.acknowledged", "eab_key.*"]});
    api.put(&server, "notification-rules/all", rule).await;
    let template = "{{ event.data.name }}";
    for name in ["slack", "teams"] {
        let path = format!("notification-channels/{name}");
        let mut rules = api.get(&server, &path).await["rules"].clone();
        rules["template"] = json!({"text": template});
        api.put(&server, &path, rules).await;
    }
    let hostile = "<!channel> <https://evil.example|x> [x](https://evil.example) <script>";
    let key = json!({"name": hostile});
    let (status, _) = api
        .call(&server, Method::POST, "acme/eab-keys", Some(key))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    received(&server, &slack, 1).await;
    received(&server, &teams, 1).await;
    let text = slack.posts()[0].json()["blocks"][1]["text"]["text"].clone();
    let text = text.as_str().unwrap();
    assert!(
        !text.contains(['<', '>']) && text.contains("&lt;!channel&gt;"),
        "{text}"
    );
    let card = teams.posts()[0].json()["attachments"][0]["content"].clone();
    let text = card["body"][1]["text"].as_str().unwrap();
    assert!(
        text.contains(r"\[x\](") && text.contains(r"\<script"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_message_says_what_became_of_it() {
    let server = TestServer::start().await;
    let (api, receiver) = (Api::of(&server).await, Receiver::start().await);
    let path = "notification-channels/hook";
    api.put(&server, path, webhook(&receiver.url())).await;
    assert_eq!(
        test(&api, &server, "hook").await,
        json!({"delivered": true})
    );
    assert_eq!(receiver.posts()[0].json()["name"], "channel.tested");
    let told = b"HTTP/1.1 418 Teapot\r\nContent-Length: 6\r\n\r\nsecret".to_vec();
    receiver.reply(Reply::Octets(told));
    let result = test(&api, &server, "hook").await;
    let error = result["error"].as_str().unwrap();
    // What it wrote is its own.
    assert!(
        error.contains("418") && !error.contains("secret"),
        "{error}"
    );
    let (status, _) = api
        .call(
            &server,
            Method::POST,
            "notification-channels/none/test",
            None,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s07_no_channel_or_rule_changes_without_its_event() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let hook = webhook("https://hooks.example.org/x");
    api.put(&server, "notification-channels/hook", hook.clone())
        .await;
    crate::events::set_writable(&server, false).await;
    let rule = json!({"channels": ["hook"], "events": ["*"]});
    let mut off = hook.clone();
    off["enabled"] = json!(false);
    for (method, path, body) in [
        (Method::PUT, "notification-channels/other", Some(hook)),
        (Method::PUT, "notification-channels/hook", Some(off)),
        (Method::PUT, "notification-rules/all", Some(rule)),
        (Method::DELETE, "notification-channels/hook", None),
        (Method::POST, "notification-channels/hook/test", None),
    ] {
        let (status, body) = api.call(&server, method, path, body).await;
        assert!(status.is_server_error(), "{path}: {status} {body}");
    }
    crate::events::set_writable(&server, true).await;
    let channels = api.get(&server, "notification-channels").await;
    assert_eq!(channels["items"].as_array().unwrap().len(), 1);
    assert_eq!(channels["items"][0]["rules"]["enabled"], true);
    let rules = server
        .store()
        .read("test", |tx| {
            Box::pin(async move { tx.list_notification_rules().await })
        })
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    assert!(rules.is_empty());
}
