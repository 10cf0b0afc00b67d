//! People decide whether a request is signed.

mod changes;
mod command_line;
mod deadlines;
mod deciding;
mod delegating;
mod links;
mod listing;
mod mail;
mod nodes;
mod rules;
mod support;
