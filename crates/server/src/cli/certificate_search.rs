//! `certwright certificate search`: the inventory asked in a line, its answer shown, counted or exported.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use protocols::rest::certificate::{Certificate, CertificateQuery};
use protocols::rest::inventory::{Count, SavedSearch};

use super::Context;
use super::certificate::{COLUMNS, row};
use super::certificate_filters::Filters;
use super::client::Client;
use super::exit::Failure;
use super::files;
use super::output;
use super::paging::{self, Paging};
use super::saved_search;

/// Arguments of `certwright certificate search`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright certificate search 'expires<30d team:web billing=4711'
  certwright certificate search '\"shop front\" replaced:no' --sort not_after
  certwright certificate search --saved 'ending soon' --export csv --out ending.csv
  certwright certificate search key:weak --count

Terms, all of which have to fit:
  name:www.example.org  name:.example.org (and all below)  name~shop (a part)
  issuer:NAME  profile:NAME  team:NAME  account:ID  serial:HEX  fingerprint:HEX
  status:valid|expired|revoked|not-yet-valid  origin:issued|discovered|imported
  key:rsa-2048  key:weak  replaced:yes|no
  expires<30d  expires>1y  expires<2027-01-31  created<7d (younger)  created>1y (older)
  billing=4711 (a metadata field)  word  \"several words\" (in names, subject, metadata;
  or the beginning of a serial number or fingerprint)")]
pub struct Search {
    /// Search terms
    #[arg(allow_hyphen_values = true)]
    terms: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// A saved search, by name or id, in place of terms and filters
    #[arg(long, value_name = "SEARCH", conflicts_with_all = ["terms", "Filters"])]
    saved: Option<String>,
    /// Only say how many there are
    #[arg(long, conflicts_with = "export")]
    count: bool,
    /// Write all of them in this form
    #[arg(long, value_enum, value_name = "FORM")]
    export: Option<Form>,
    /// File to write an export to; standard output without it
    #[arg(long, value_name = "FILE", requires = "export")]
    out: Option<PathBuf>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A table; what a spreadsheet would compute is made a text
    Csv,
    /// One certificate in each line, as JSON
    Jsonl,
}

impl Search {
    /// Asks and shows.
    pub async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let query = match &self.saved {
            Some(wanted) => {
                let saved: SavedSearch = saved_search::find(client, wanted).await?;
                saved.search.into_iter().collect()
            }
            None => CertificateQuery {
                q: (!self.terms.is_empty()).then(|| self.terms.join(" ")),
                ..self.filters.query()
            }
            .parameters(),
        };
        if self.count {
            let count: Count = client.ask(&["certificates", "count"], &query).await?;
            return Ok(output::print(context.output, &count)?);
        }
        if let Some(form) = self.export {
            return export(client, form, query, self.out.as_deref()).await;
        }
        let page = client
            .list::<Certificate>(&["certificates"], &query, &self.paging)
            .await?;
        paging::print_rows(context, COLUMNS, &page, row)
    }
}

/// There may be more certificates than fit into memory, so they are written as they come.
async fn export(
    client: &Client,
    form: Form,
    mut query: Vec<(String, String)>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let format = match form {
        Form::Csv => "csv",
        Form::Jsonl => "jsonl",
    };
    query.push(("format".to_owned(), format.to_owned()));
    let path = ["certificates", "export"];
    files::save(client.download(&path, &query).await?, out).await
}
