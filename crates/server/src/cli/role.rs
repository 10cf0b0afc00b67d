//! `certwright role`: named sets of permissions.

use clap::{Args, Subcommand};
use protocols::rest::role::{Permission, PutRole, Role};

use super::Context;
use super::client::{Client, Version};
use super::exit::Failure;
use super::output;

/// Arguments of `certwright role`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  certwright role permissions
  certwright role set revoker --permission certificates:read --permission certificates:revoke")]
pub struct RoleCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the roles: those that are built in, and yours
    #[command(after_help = "Example:
  certwright role list")]
    List,
    /// Show a role
    #[command(after_help = "Example:
  certwright role show ca-operator")]
    Show {
        /// Name of the role
        name: String,
    },
    /// List every permission, and the built-in roles that have it
    #[command(after_help = "Example:
  certwright role permissions")]
    Permissions,
    /// Make a role, or change one
    #[command(after_help = "Examples:
  certwright role set revoker --permission certificates:read --permission certificates:revoke
  certwright role set night-shift --description 'Sees and revokes' --like auditor --permission certificates:revoke

You need every permission that you put into it, and cannot change a role that you hold.")]
    Set(Set),
    /// Delete a role that nobody holds
    #[command(after_help = "Example:
  certwright role delete revoker")]
    Delete {
        /// Name of the role
        name: String,
    },
}

#[derive(Debug, Args)]
struct Set {
    /// Name of the role: lower-case letters, digits and hyphens
    name: String,
    /// What it is for; what was said before stays without it
    #[arg(long)]
    description: Option<String>,
    /// What it allows, in place of what it allowed before; repeatable
    #[arg(
        long = "permission",
        value_name = "PERMISSION",
        required_unless_present = "like"
    )]
    permissions: Vec<String>,
    /// Begin with what this role allows
    #[arg(long, value_name = "ROLE")]
    like: Option<String>,
}

impl RoleCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = Client::new(context)?;
        match self.verb {
            Verb::List => {
                let found: Vec<Role> = client.list_all(&["roles"]).await?;
                Ok(output::print_columns(context.output, COLUMNS, &found)?)
            }
            Verb::Show { name } => {
                let found: Role = client.get(&["roles", &name]).await?;
                Ok(output::print(context.output, &found)?)
            }
            Verb::Permissions => {
                let found: Vec<Permission> = client.list_all(&["permissions"]).await?;
                Ok(output::print(context.output, &found)?)
            }
            Verb::Set(set) => {
                let stored = set.run(&client).await?;
                Ok(output::print_columns(context.output, COLUMNS, &stored)?)
            }
            Verb::Delete { name } => client.delete(&["roles", &name]).await,
        }
    }
}

impl Set {
    async fn run(self, client: &Client) -> Result<Role, Failure> {
        let mut permissions = match &self.like {
            Some(like) => client.get::<Role>(&["roles", like]).await?.permissions,
            None => Vec::new(),
        };
        permissions.extend(self.permissions);
        let path = ["roles", &self.name];
        let (before, version) = match client.find::<Role>(&path).await? {
            Some((role, version)) => (role.description, version),
            None => (String::new(), Version::New),
        };
        let body = PutRole {
            description: self.description.unwrap_or(before),
            permissions,
        };
        client.put(&path, &version, &body).await
    }
}

const COLUMNS: &[&str] = &["name", "built_in", "description", "permissions"];
