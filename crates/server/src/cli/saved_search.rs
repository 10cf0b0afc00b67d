//! `certwright saved-search`: searches that people keep, for themselves or for a team.

use clap::{Args, Subcommand};
use protocols::rest::certificate::CertificateQuery;
use protocols::rest::inventory::{SavedSearch, SavedSearchRequest};

use super::Context;
use super::certificate_filters::Filters;
use super::client::Client;
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright saved-search`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright saved-search set 'ending soon' 'expires<30d team:web' --share-with web
  certwright certificate search --saved 'ending soon'")]
pub struct SavedSearchCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List own searches and those that teams share
    #[command(after_help = "Example:
  certwright saved-search list")]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one
    #[command(after_help = "Example:
  certwright saved-search show 'ending soon'")]
    Show {
        /// Name or id
        search: String,
    },
    /// Keep a search, in place of an own one of the same name
    #[command(after_help = "Examples:
  certwright saved-search set 'weak keys' key:weak replaced:no
  certwright saved-search set 'ending soon' 'expires<30d' --share-with web --sort not_after")]
    Set(Box<Set>),
    /// Forget an own search
    #[command(after_help = "Example:
  certwright saved-search delete 'ending soon'")]
    Delete {
        /// Name or id
        search: String,
    },
}

#[derive(Debug, Args)]
struct Set {
    /// Its name
    search: String,
    /// Search terms, as of `certificate search`
    #[arg(allow_hyphen_values = true)]
    terms: Vec<String>,
    /// Team that is to see it as well
    #[arg(long, value_name = "TEAM")]
    share_with: Option<String>,
    #[command(flatten)]
    filters: Filters,
}

const COLUMNS: &[&str] = &["id", "name", "team", "own", "search"];
const PATH: &str = "saved-searches";

impl SavedSearchCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List { paging } => {
                let page = client.list::<SavedSearch>(&[PATH], &(), &paging).await?;
                paging::print(context, COLUMNS, &page)
            }
            Verb::Show { search } => {
                let shown = find(&client, &search).await?;
                Ok(output::print(context.output, &shown)?)
            }
            Verb::Set(set) => {
                let kept = set.run(&client).await?;
                Ok(output::print_columns(context.output, COLUMNS, &[kept])?)
            }
            Verb::Delete { search } => {
                let found = find(&client, &search).await?;
                client.delete(&[PATH, &found.id]).await
            }
        }
    }
}

impl Set {
    async fn run(self, client: &Client) -> Result<SavedSearch, Failure> {
        let query = CertificateQuery {
            q: (!self.terms.is_empty()).then(|| self.terms.join(" ")),
            ..self.filters.query()
        };
        let request = SavedSearchRequest {
            name: self.search,
            team: self.share_with,
            search: query.parameters().into_iter().collect(),
        };
        let everything = Paging::everything();
        let known = client
            .list::<SavedSearch>(&[PATH], &(), &everything)
            .await?;
        let own = known
            .items
            .into_iter()
            .find(|s| s.own && s.name == request.name);
        match own {
            None => client.post(&[PATH], &request).await,
            Some(own) => client.replace(&[PATH, &own.id], &request).await,
        }
    }
}

/// The search with that name or id; own ones go before those of teams.
pub async fn find(client: &Client, wanted: &str) -> Result<SavedSearch, Failure> {
    if wanted.starts_with("srch_") {
        return client.get(&[PATH, wanted]).await;
    }
    let everything = Paging::everything();
    let known = client
        .list::<SavedSearch>(&[PATH], &(), &everything)
        .await?;
    let mut named: Vec<SavedSearch> = known
        .items
        .into_iter()
        .filter(|search| search.name == wanted)
        .collect();
    named.sort_by_key(|search| !search.own);
    let others = named.iter().filter(|search| !search.own).count();
    match named.into_iter().next() {
        None => Err(Failure::not_found(format!(
            "there is no saved search `{wanted}`; `certwright saved-search list` shows those there are"
        ))),
        Some(search) if !search.own && others > 1 => Err(Failure::usage(format!(
            "several saved searches are named `{wanted}`; give the id of one"
        ))),
        Some(search) => Ok(search),
    }
}
