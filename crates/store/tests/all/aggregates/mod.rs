//! Each aggregate's methods on both engines.

mod access;
mod acme;
mod certificates;
mod configuration;
mod enroll;
mod enrollments;
mod events;
mod inventory;
mod jobs;
mod limits;
mod metadata;
mod notifications;
mod revocation;
mod sign_in;

/// `transact!(database, |tx| { … })` runs the block in a transaction and answers its value.
macro_rules! transact {
    ($database:expr, |$tx:ident| $body:block) => {
        $database
            .store
            .write("test", move |$tx| {
                Box::pin(async move { Ok::<_, store::StoreError>($body) })
            })
            .await
            .unwrap()
    };
}
pub(crate) use transact;
