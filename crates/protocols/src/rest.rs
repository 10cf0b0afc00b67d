//! The REST API's wire types, shared by server, command line and agent.
