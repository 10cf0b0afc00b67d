//! The bounded queue in front of the writer, taken from in one piece.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;

use crate::StoreError;

/// Operations wait here until the writer takes all of them at once.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    places: Semaphore,
}

struct State<T> {
    waiting: Vec<T>,
    /// How many items the sleeping writer wants to be woken for.
    wanted: usize,
    closed: bool,
}

/// Nobody sleeps: the writer is at work and will look by itself.
const AWAKE: usize = usize::MAX;

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: Vec::new(),
                wanted: AWAKE,
                closed: false,
            }),
            filled: Condvar::new(),
            places: Semaphore::new(capacity),
        }
    }

    /// Waits for a place and lines up.
    pub(super) async fn push(&self, item: T) -> Result<(), StoreError> {
        let place = self
            .places
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let wake = {
            let mut state = self.state.lock();
            if state.closed {
                return Err(StoreError::Closed);
            }
            state.waiting.push(item);
            state.waiting.len() >= state.wanted
        };
        // The place comes back when the writer has taken the item.
        place.forget();
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits until something is there, then up to `patience` for `expected` items, and takes all.
    /// Empty once the queue is closed and drained.
    pub(super) fn take_all(&self, expected: usize, patience: Duration) -> Vec<T> {
        let mut state = self.state.lock();
        state.wanted = 1;
        while state.waiting.is_empty() && !state.closed {
            self.filled.wait(&mut state);
        }
        state.wanted = expected;
        let deadline = Instant::now() + patience;
        while state.waiting.len() < expected && !state.closed {
            if self.filled.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.wanted = AWAKE;
        let taken = std::mem::take(&mut state.waiting);
        drop(state);
        self.places.add_permits(taken.len());
        taken
    }

    /// Takes no more; what waits is still handed out.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.places.close();
        self.filled.notify_all();
    }
}
