//! What was read from the store and is remembered for a while, and never past a change of it.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

/// Values by key. A change on this node has what it changes forgotten at once; a short life is what
/// carries it to other nodes.
pub(crate) struct Remembered<K, V> {
    values: Cache<K, V>,
    /// Counts changes: what was read before one must not be remembered after it.
    changes: AtomicU64,
}

/// How many changes there had been when a value was about to be read.
#[derive(Clone, Copy)]
pub(crate) struct Before(u64);

impl<K, V> Remembered<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// So many values at most, each for a second.
    pub(crate) fn for_a_second(most: u64) -> Self {
        let values = Cache::builder()
            .max_capacity(most)
            .time_to_live(Duration::from_secs(1));
        Self::of(values.build())
    }

    /// So many values at most, for as long as they hold.
    pub(crate) fn bounded(most: u64) -> Self {
        Self::of(Cache::builder().max_capacity(most).build())
    }

    fn of(values: Cache<K, V>) -> Self {
        Self {
            values,
            changes: AtomicU64::new(0),
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.values.get(key)
    }

    /// To be taken before a value is read that is to be kept.
    pub(crate) fn before(&self) -> Before {
        Before(self.changes.load(Ordering::SeqCst))
    }

    /// Keeps a value, unless there was a change since it was about to be read.
    pub(crate) fn keep(&self, before: Before, key: K, value: V)
    where
        K: Clone,
    {
        if self.before().0 != before.0 {
            return;
        }
        self.values.insert(key.clone(), value);
        // A change that came between is either seen here, or forgets what was kept just now.
        if self.before().0 != before.0 {
            self.values.invalidate(&key);
        }
    }

    /// What is remembered, or what `read` finds, which is remembered then.
    pub(crate) async fn get_or_read<Q, E>(
        &self,
        key: &Q,
        read: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<V>, E>
    where
        K: Borrow<Q> + Clone,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(known) = self.get(key) {
            return Ok(Some(known));
        }
        let before = self.before();
        let found = read.await?;
        if let Some(value) = &found {
            self.keep(before, key.to_owned(), value.clone());
        }
        Ok(found)
    }

    /// Call behind every change of the value.
    pub(crate) fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.values.invalidate(key);
    }

    /// Call behind every change that more than one value depends on.
    pub(crate) fn forget_all(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.values.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::Remembered;

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let known: Remembered<String, u32> = Remembered::bounded(10);
        let read = async {
            // It was read, and is changed before it arrives.
            known.forget("a");
            Ok::<_, Infallible>(Some(1))
        };
        assert_eq!(known.get_or_read("a", read).await, Ok(Some(1)));
        assert_eq!(known.get("a"), None);

        let again = async { Ok::<_, Infallible>(Some(2)) };
        assert_eq!(known.get_or_read("a", again).await, Ok(Some(2)));
        let never = async { unreachable!("it is remembered") };
        let found: Result<_, Infallible> = known.get_or_read("a", never).await;
        assert_eq!(found, Ok(Some(2)));
    }

    #[test]
    fn a_change_of_everything_counts_for_what_is_being_read() {
        let known: Remembered<u8, u32> = Remembered::bounded(10);
        let before = known.before();
        known.forget_all();
        known.keep(before, 7, 1);
        assert_eq!(known.get(&7), None);
        known.keep(known.before(), 7, 2);
        assert_eq!(known.get(&7), Some(2));
    }
}
