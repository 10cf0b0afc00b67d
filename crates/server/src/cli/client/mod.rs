//! The REST client behind the commands.

mod answer;

use std::time::Duration;

use protocols::rest::certificate::PASSWORD_HEADER;
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::team::OwnerQuery;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::{json, may_pass, refusal};
use super::Context;
use super::exit::{Exit, Failure};
use super::paging::Paging;
use super::saved::Target;

/// Talks to one server with one token.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
    /// Goes with every request, into the audit trail.
    why: Option<HeaderValue>,
}

/// What a change of a resource is made to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// There is none yet.
    New,
    /// The one with this entity tag.
    Known(String),
}

impl Client {
    /// A client for the server that flags, environment or `certwright login` name.
    pub fn new(context: &Context) -> Result<Self, Failure> {
        let mut client = Self::of(Target::of(context)?)?;
        client.why = match &context.why {
            None => None,
            Some(text) => Some(HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
                Failure::usage("--why holds a line break or another control character")
            })?),
        };
        Ok(client)
    }

    /// A client for a server.
    pub fn of(target: Target) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("certwright/", env!("CARGO_PKG_VERSION")))
            // A token goes to the server it is for, and to no other it may point to.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(120));
        if let Some(pem) = &target.ca {
            let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| Failure::usage(format!("the root certificate: {error}")))?;
            if roots.is_empty() {
                return Err(Failure::usage(
                    "the file given as --ca holds no certificate; it should be PEM, like the \
                     server's root.pem",
                ));
            }
            // Whoever names a root trusts that one and no other.
            builder = builder.tls_certs_only(roots);
        }
        let http = builder
            .build()
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        Ok(Self {
            http,
            base: target.url,
            token: target.token,
            why: None,
        })
    }

    /// Fetches a resource.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        json(self.send(self.request(Method::GET, path)).await?).await
    }

    /// Fetches a resource that a query says more about.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        json(
            self.send(self.request(Method::GET, path).query(query))
                .await?,
        )
        .await
    }

    /// Fetches a resource with its entity tag, if it is there.
    pub async fn find<T: DeserializeOwned>(
        &self,
        path: &[&str],
    ) -> Result<Option<(T, Version)>, Failure> {
        match self.send(self.request(Method::GET, path)).await {
            Ok(response) => {
                let tag = response
                    .headers()
                    .get(ETAG)
                    .and_then(|tag| tag.to_str().ok());
                let version = Version::Known(tag.unwrap_or_default().to_owned());
                Ok(Some((json(response).await?, version)))
            }
            Err(failure) if failure.exit == Exit::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Fetches as many items of a list as were asked for.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &[&str],
        filter: &impl Serialize,
        paging: &Paging,
    ) -> Result<Page<T>, Failure> {
        let mut items = Vec::new();
        let mut after = paging.after.clone();
        loop {
            let left = paging.left(items.len());
            let query = PageQuery {
                limit: Some(left.min(PageQuery::MAX_LIMIT)),
                after: after.take(),
            };
            let request = self.request(Method::GET, path).query(filter).query(&query);
            let page: Page<T> = json(self.send(request).await?).await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() || paging.left(items.len()) == 0 {
                return Ok(Page { items, next: after });
            }
        }
    }

    /// Fetches every item of a short list, which is not paged.
    pub async fn list_all<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        Ok(self.get::<Page<T>>(path).await?.items)
    }

    /// Sends a request without a body.
    pub async fn act<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Failure> {
        json(
            self.send(self.request(Method::POST, path).query(query))
                .await?,
        )
        .await
    }

    /// Sends a request with a body.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        json(
            self.send(self.request(Method::POST, path).json(body))
                .await?,
        )
        .await
    }

    /// Sends a request that creates something. It has a name of its own, so it is sent again where the
    /// answer got lost, and done once.
    pub async fn create<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let random = pki::random::SystemRandom::new();
        let name: [u8; 16] = (&random as &dyn pki::random::Random).octets();
        let name = format!("{:032x}", u128::from_be_bytes(name));
        let mut wait = Duration::from_secs(1);
        for _ in 0..REPEATS {
            let request = self
                .request(Method::POST, path)
                .header("Idempotency-Key", &name)
                .json(body);
            match request.send().await {
                Ok(response) if response.status().is_success() => return json(response).await,
                Ok(response) if !may_pass(&response) => return Err(refusal(response).await),
                // Nobody is there: that is for a person to see, not to wait for.
                Err(error) if error.is_connect() => return Err(self.unreachable(error)),
                Ok(_) | Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 2;
        }
        let request = self
            .request(Method::POST, path)
            .header("Idempotency-Key", &name)
            .json(body);
        json(self.send(request).await?).await
    }

    /// Sends a request with a body whose answer is a file.
    pub async fn fetch(&self, path: &[&str], body: &impl Serialize) -> Result<Vec<u8>, Failure> {
        let request = self.request(Method::POST, path).json(body);
        let octets = self.send(request).await?.bytes().await;
        Ok(octets.map_err(anyhow::Error::from)?.to_vec())
    }

    /// Sends a file.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
        media_type: &str,
        octets: Vec<u8>,
        password: Option<&SecretString>,
    ) -> Result<T, Failure> {
        let mut request = self
            .request(Method::POST, path)
            .query(query)
            .header(CONTENT_TYPE, media_type)
            .body(octets);
        if let Some(password) = password {
            request = request.header(PASSWORD_HEADER, password.expose_secret());
        }
        json(self.send(request).await?).await
    }

    /// Makes a resource or replaces the version of it that was read.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        version: &Version,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.put_for(path, None, version, body).await
    }

    /// The same, for a team where it makes something new.
    pub async fn put_for<T: DeserializeOwned>(
        &self,
        path: &[&str],
        team: Option<&str>,
        version: &Version,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let query = OwnerQuery {
            team: team.map(str::to_owned),
        };
        let request = self.request(Method::PUT, path).query(&query).json(body);
        let request = match version {
            Version::New => request.header(IF_NONE_MATCH, "*"),
            Version::Known(tag) => request.header(IF_MATCH, tag),
        };
        json(self.send(request).await?).await
    }

    /// Changes parts of a resource.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.request(Method::PATCH, path).json(body);
        json(self.send(request).await?).await
    }

    /// Puts a value in place of whatever is there.
    pub async fn replace<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        json(
            self.send(self.request(Method::PUT, path).json(body))
                .await?,
        )
        .await
    }

    /// Sends a request without a body, and looks at no answer.
    pub async fn tell(&self, path: &[&str]) -> Result<(), Failure> {
        self.send(self.request(Method::POST, path)).await.map(drop)
    }

    /// Deletes a resource.
    pub async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path))
            .await
            .map(drop)
    }

    /// Deletes what a query names.
    pub async fn delete_where(&self, path: &[&str], query: &impl Serialize) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, path).query(query))
            .await
            .map(drop)
    }

    /// Fetches a resource that is not JSON, to be read piece by piece.
    pub async fn download(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<Response, Failure> {
        self.send(self.request(Method::GET, path).query(query))
            .await
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // What a person typed cannot leave its segment.
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        let request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose_secret());
        match &self.why {
            Some(why) => request.header("certwright-reason", why),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refusal(response).await),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let chain = format!("{:#}", anyhow::Error::from(error));
        let hint = match chain.contains("certificate") || chain.contains("UnknownIssuer") {
            true => "; name the server's root with --ca, it is root.pem in its data directory",
            false => "",
        };
        let error = anyhow::anyhow!("{} does not answer: {chain}{hint}", self.base);
        Failure::new(Exit::Failed, error)
    }
}

/// How often a creation is sent again, with waits of 1, 2 and 4 seconds.
const REPEATS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        Client {
            http: reqwest::Client::new(),
            base: url.parse().unwrap(),
            token: SecretString::from("cwt_canary"),
            why: None,
        }
    }

    #[test]
    fn what_a_person_typed_stays_in_its_segment() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        for (base, typed, url) in [
            (
                "https://ca",
                "crt_1",
                "https://ca/api/v1/certificates/crt_1",
            ),
            (
                "https://ca/",
                "a/../../x",
                "https://ca/api/v1/certificates/a%2F..%2F..%2Fx",
            ),
            (
                "https://ca/sub",
                "a?b#c",
                "https://ca/sub/api/v1/certificates/a%3Fb%23c",
            ),
        ] {
            let request = client(base).request(Method::GET, &["certificates", typed]);
            assert_eq!(request.build().unwrap().url().as_str(), url);
        }
    }
}
