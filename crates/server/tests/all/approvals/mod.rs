//! People decide whether a request is signed.

mod changes;
mod command_line;
mod deadlines;
mod deciding;
mod delegating;
mod links;
mod nodes;
mod rules;
mod support;
