//! The one integration test binary: one module per resource or rim.

mod listener;
