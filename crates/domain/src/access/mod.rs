//! Who may do what, and where: roles that are granted, and the rights they add up to.
//!
//! A *principal* (a user or a token) holds *grants*; each gives a role everywhere or in one team.
//! What all of them allow are the principal's [`Rights`]; which objects it sees by them is a
//! [`Visibility`]. Nobody gives or takes what they do not hold themselves: [`granting`].

pub mod granting;
mod principal;
mod rights;
mod role;
mod scope;

pub use principal::{ParsePrincipalError, Principal};
pub use rights::{HeldRole, Rights};
pub use role::{CustomRole, ParseRoleRefError, RoleRef};
pub use scope::{Scope, Visibility};

use pki::time::Timestamp;

use crate::id::GrantId;

/// One role, given to one principal, everywhere or in one team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub principal: Principal,
    pub role: RoleRef,
    pub scope: Scope,
    pub created_at: Timestamp,
}
