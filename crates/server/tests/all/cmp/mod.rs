//! CMP: `openssl cmp` and messages made by hand against the server, and what operators manage of it.

mod connector;
mod managed;
mod messages;
mod mock;
mod openssl;
mod support;
