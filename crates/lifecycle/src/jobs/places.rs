//! Places: how many jobs wait for the answer of the same issuer at once. A CA that says nothing, with
//! however many requests behind it, leaves room for the jobs of everybody else.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::IssuerId;
use parking_lot::Mutex;

/// How many are taken at each issuer, in this process.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<IssuerId, usize>>>);

/// One that is taken, until it is dropped.
pub(crate) struct Place {
    places: Places,
    issuer: IssuerId,
}

impl Places {
    /// Whether there is none left at this issuer.
    pub(crate) fn are_taken(&self, issuer: &IssuerId) -> bool {
        self.0.lock().get(issuer).copied().unwrap_or(0) >= MOST_PER_ISSUER
    }

    /// Takes one, which there may be none left of a moment after it was asked.
    pub(crate) fn take(&self, issuer: &IssuerId) -> Place {
        *self.0.lock().entry(issuer.clone()).or_default() += 1;
        Place {
            places: self.clone(),
            issuer: issuer.clone(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock();
        if let Some(count) = taken.get_mut(&self.issuer) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.issuer);
            }
        }
    }
}

/// An eighth of all jobs that run at once.
const MOST_PER_ISSUER: usize = super::worker::MOST_AT_ONCE / 8;
