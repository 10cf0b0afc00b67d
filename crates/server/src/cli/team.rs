//! `certwright team`: who owns certificates, ACME directories, binding keys and profiles.

use clap::{Args, Subcommand};
use protocols::rest::grant::{Grant, GrantQuery};
use protocols::rest::team::{PutTeam, SetOwner, Team};
use serde_json::Value;

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output;
use super::paging::{self, Paging};

/// Arguments of `certwright team`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright team set web --description 'Web shop and its back ends'
  certwright team give web crt_… eab_… profile/shop directory/shop")]
pub struct TeamCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the teams that you see
    #[command(after_help = "Example:
  certwright team list")]
    List,
    /// Show a team
    #[command(after_help = "Example:
  certwright team show web")]
    Show {
        /// Name of the team
        name: String,
    },
    /// Make a team, or change what is said about one
    #[command(after_help = "Example:
  certwright team set web --description 'Web shop and its back ends'")]
    Set {
        /// Name of the team: lower-case letters, digits and hyphens
        name: String,
        /// What the team is
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Show who holds which role in a team
    #[command(after_help = "Example:
  certwright team members web")]
    Members {
        /// Name of the team
        name: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Give things to a team: certificates, binding keys, profiles, directories
    #[command(after_help = "Examples:
  certwright team give web crt_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright team give web profile/shop directory/shop eab_06ek9q3v5c8m2k7t1r4x0z9w8y
  certwright team give --nobody profile/shop          # everybody shares it again

Takes the permission to change them in the team that has them and in the one that gets them.")]
    Give(Give),
    /// Delete a team that owns nothing any more, and the grants that were made in it
    #[command(after_help = "Example:
  certwright team delete web")]
    Delete {
        /// Name of the team
        name: String,
    },
}

#[derive(Debug, Args)]
struct Give {
    /// Name of the team, and behind it what it gets: crt_…, eab_…, profile/NAME, directory/NAME
    #[arg(value_name = "TEAM OBJECT", required = true, num_args = 1..)]
    names: Vec<String>,
    /// Take them from their teams and give them to none
    #[arg(long)]
    nobody: bool,
}

impl TeamCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Team> = client.list_all(&["teams"]).await?;
                Ok(output::print_columns(context.output, COLUMNS, &found)?)
            }
            Verb::Show { name } => {
                let found: Team = client.get(&["teams", &name]).await?;
                Ok(output::print(context.output, &found)?)
            }
            Verb::Set { name, description } => {
                let path = ["teams", &name];
                let version = match client.find::<Team>(&path).await? {
                    Some((_, version)) => version,
                    None => Version::New,
                };
                let body = PutTeam { description };
                let stored: Team = client.put(&path, &version, &body).await?;
                Ok(output::print_columns(context.output, COLUMNS, &stored)?)
            }
            Verb::Members { name, paging } => {
                let query = GrantQuery {
                    team: Some(name),
                    ..GrantQuery::default()
                };
                let page = client.list::<Grant>(&["grants"], &query, &paging).await?;
                paging::print(context, super::grant::COLUMNS, &page)
            }
            Verb::Give(give) => give.run(&client, context).await,
            Verb::Delete { name } => client.delete(&["teams", &name]).await,
        }
    }
}

impl Give {
    async fn run(self, client: &Client, context: &Context) -> Result<(), Failure> {
        let (team, objects) = match (self.nobody, self.names.split_first()) {
            (true, _) => (None, self.names.as_slice()),
            (false, Some((team, objects))) => (Some(team.clone()), objects),
            (false, None) => (None, [].as_slice()),
        };
        if objects.is_empty() {
            return Err(Failure::usage(
                "say what is given: crt_…, eab_…, profile/NAME or directory/NAME",
            ));
        }
        // All are looked at before the first is given.
        let paths: Vec<Vec<&str>> = objects.iter().map(|o| path(o)).collect::<Result<_, _>>()?;
        let mut given: Vec<Value> = Vec::with_capacity(paths.len());
        for path in paths {
            let body = SetOwner { team: team.clone() };
            given.push(client.replace(&path, &body).await?);
        }
        let columns = ["id", "name", "names", "team"];
        Ok(output::print_columns(context.output, &columns, &given)?)
    }
}

/// The path of an object's owner.
fn path(object: &str) -> Result<Vec<&str>, Failure> {
    if object.starts_with("crt_") {
        return Ok(vec!["certificates", object, "owner"]);
    }
    if object.starts_with("eab_") {
        return Ok(vec!["acme", "eab-keys", object, "owner"]);
    }
    match object.split_once('/') {
        Some(("profile", name)) => Ok(vec!["profiles", name, "owner"]),
        Some(("directory", name)) => Ok(vec!["acme", "directories", name, "owner"]),
        Some(_) | None => Err(Failure::usage(format!(
            "`{object}` is nothing a team can own; write crt_…, eab_…, profile/NAME or \
             directory/NAME"
        ))),
    }
}

const COLUMNS: &[&str] = &["name", "description", "updated_at"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_team_can_own_is_told_by_its_form() {
        for (object, expected) in [
            ("crt_1", Some("certificates/crt_1/owner")),
            ("eab_1", Some("acme/eab-keys/eab_1/owner")),
            ("profile/shop", Some("profiles/shop/owner")),
            ("directory/shop", Some("acme/directories/shop/owner")),
            ("shop", None),
            ("tok_1", None),
        ] {
            let found = path(object).ok().map(|path| path.join("/"));
            assert_eq!(found.as_deref(), expected, "{object}");
        }
    }
}
