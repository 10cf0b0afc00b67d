//! Which server commands talk to: flags and environment first, then what `certwright login` saved.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Context;
use super::exit::Failure;
use super::files;

/// A server, and how to be let in.
#[derive(Debug)]
pub struct Target {
    pub url: Url,
    pub token: SecretString,
    /// PEM of the only roots to trust; `None` trusts those of the system.
    pub ca: Option<String>,
}

/// What `certwright login` keeps.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    url: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
}

impl Target {
    /// The server that commands talk to.
    pub fn of(context: &Context) -> Result<Self, Failure> {
        Self::join(context, load(&path()?)?)
    }

    /// A server named by flags and environment alone.
    pub fn given(context: &Context) -> Result<Self, Failure> {
        Self::join(context, None)
    }

    fn join(context: &Context, saved: Option<Saved>) -> Result<Self, Failure> {
        let given = context.url.as_deref().map(parse_url).transpose()?;
        let saved_url = saved
            .as_ref()
            .map(|saved| parse_url(&saved.url))
            .transpose()?;
        // A saved token is for the server it was saved with.
        let saved = saved.filter(|_| given.is_none() || given == saved_url);
        let url = given.or(saved_url).ok_or_else(|| {
            Failure::usage(
                "no server is named; give --url, set CERTWRIGHT_URL, or run `certwright login`",
            )
        })?;
        let saved_token = saved
            .as_ref()
            .map(|saved| SecretString::from(saved.token.as_str()));
        let token = context.token.clone().or(saved_token).ok_or_else(|| {
            Failure::usage(format!(
                "there is no API token for {url}; set CERTWRIGHT_TOKEN or run `certwright login`; \
                 `certwright token create --data DIR` makes one on the server's machine"
            ))
        })?;
        let ca = match &context.ca {
            Some(path) => Some(files::read_text(path)?),
            None => saved.and_then(|saved| saved.ca),
        };
        Ok(Self { url, token, ca })
    }

    /// Keeps this server for the commands to come. Gives the file.
    pub fn save(&self) -> Result<PathBuf, Failure> {
        let path = path()?;
        self.save_to(&path)?;
        Ok(path)
    }

    fn save_to(&self, path: &Path) -> Result<(), Failure> {
        let saved = Saved {
            url: self.url.to_string(),
            token: self.token.expose_secret().to_owned(),
            ca: self.ca.clone(),
        };
        let text = toml::to_string(&saved).map_err(anyhow::Error::from)?;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        files::write_private(path, text.as_bytes())
    }
}

fn parse_url(text: &str) -> Result<Url, Failure> {
    let base: crate::config::BaseUrl = text
        .parse()
        .map_err(|error| Failure::usage(format!("`{text}` is no server URL: {error}")))?;
    Ok(base.url().clone())
}

fn load(path: &Path) -> Result<Option<Saved>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::failed(path, error)),
    };
    toml::from_str(&text).map(Some).map_err(|_| {
        // The parser's message would quote the token.
        Failure::usage(format!(
            "{} is not what `certwright login` writes; run it again or remove the file",
            path.display()
        ))
    })
}

/// `~/.config/certwright/context.toml`, or where the XDG base directories have it.
fn path() -> Result<PathBuf, Failure> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    base.map(|base| base.join("certwright/context.toml"))
        .ok_or_else(|| Failure::usage("there is no home directory; set HOME or XDG_CONFIG_HOME"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::output::Format;

    fn context(url: Option<&str>, token: Option<&str>) -> Context {
        Context {
            output: Format::Json,
            url: url.map(str::to_owned),
            token: token.map(SecretString::from),
            ca: None,
            why: None,
        }
    }

    fn saved() -> Option<Saved> {
        Some(Saved {
            url: "https://ca.example".to_owned(),
            token: "saved".to_owned(),
            ca: Some("saved root".to_owned()),
        })
    }

    fn joined(url: Option<&str>, token: Option<&str>) -> Option<(String, String, bool)> {
        let target = Target::join(&context(url, token), saved()).ok()?;
        let token = target.token.expose_secret().to_owned();
        Some((target.url.to_string(), token, target.ca.is_some()))
    }

    #[test]
    fn what_was_saved_serves_where_nothing_else_is_said() {
        let expected = ("https://ca.example/".to_owned(), "saved".to_owned(), true);
        assert_eq!(joined(None, None), Some(expected.clone()));
        assert_eq!(joined(Some("https://ca.example"), None), Some(expected));
    }

    #[test]
    fn a_saved_token_is_never_sent_to_another_server() {
        assert_eq!(joined(Some("https://other.example"), None), None);
        assert_eq!(
            joined(Some("https://other.example"), Some("given")),
            Some((
                "https://other.example/".to_owned(),
                "given".to_owned(),
                false
            ))
        );
    }

    #[test]
    fn what_is_saved_comes_back_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/context.toml");
        let target = Target::join(&context(None, None), saved()).unwrap();
        target.save_to(&path).unwrap();
        target.save_to(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Target::join(&context(None, None), load(&path).unwrap()).unwrap();
        assert_eq!(again.token.expose_secret(), "saved");
        assert_eq!(again.ca.as_deref(), Some("saved root"));
    }

    #[test]
    fn a_file_that_is_not_ours_is_named_but_not_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("context.toml");
        std::fs::write(&path, "token = canary").unwrap();
        let failure = load(&path).err().unwrap().to_string();
        assert!(failure.contains("context.toml") && !failure.contains("canary"));
    }
}
