//! Many accounts at once, each issuing one certificate after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{AcmeError, Client};
use crate::flow::issue;
use crate::responder::http::Tokens;
use crate::tally::Tally;

/// An account gives up after so many failures in a row: the server is down or refuses on principle.
const FAILURES_IN_A_ROW: u32 = 20;

/// When to stop starting flows. What has begun is finished and counted.
pub enum Stop {
    /// After this time.
    At(Instant),
    /// When this many flows have been started, by all accounts together.
    After(AtomicU64),
}

impl Stop {
    fn may_start(&self) -> bool {
        match self {
            Self::At(end) => Instant::now() < *end,
            Self::After(left) => left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok(),
        }
    }
}

/// How fast flows are started, by all accounts together.
pub enum Pace {
    /// Each account as soon as its last flow is done.
    Unbounded,
    /// At regular moments; one that passes while all accounts are busy is made up for.
    Even {
        start: Instant,
        interval: Duration,
        started: AtomicU64,
    },
}

impl Pace {
    /// So many flows a second from now on.
    pub fn per_second(flows: f64) -> Self {
        Self::Even {
            start: Instant::now(),
            interval: Duration::from_secs_f64(flows.recip()),
            started: AtomicU64::new(0),
        }
    }

    /// When the next flow is due.
    fn next(&self) -> Option<Instant> {
        match self {
            Self::Unbounded => None,
            Self::Even {
                start,
                interval,
                started,
            } => {
                let turn = started.fetch_add(1, Ordering::Relaxed);
                Some(*start + interval.mul_f64(turn as f64))
            }
        }
    }

    async fn wait(&self) {
        if let Some(due) = self.next() {
            tokio::time::sleep_until(due.into()).await;
        }
    }
}

/// One account and the names it will order.
pub struct Worker {
    client: Client,
    tokens: Tokens,
    names: Names,
    patience: Duration,
    chain: Option<Vec<u8>>,
}

/// Names that nobody has ordered before, in this run or an earlier one.
pub struct Names {
    /// Ends every name and differs between runs and accounts.
    pub suffix: String,
    /// How many an order has.
    pub per_order: usize,
    /// The next order's number.
    pub next: u64,
}

impl Names {
    fn take(&mut self) -> Vec<String> {
        let order = self.next;
        self.next += 1;
        (0..self.per_order)
            .map(|index| match index {
                0 => format!("n{order}.{}", self.suffix),
                _ => format!("n{order}-{index}.{}", self.suffix),
            })
            .collect()
    }
}

impl Worker {
    /// Ready to run; a flow that takes longer than `patience` has failed.
    pub fn new(client: Client, tokens: Tokens, names: Names, patience: Duration) -> Self {
        Self {
            client,
            tokens,
            names,
            patience,
            chain: None,
        }
    }

    /// The last certificate with its issuers, PEM.
    pub fn chain(&self) -> Option<&[u8]> {
        self.chain.as_deref()
    }

    /// The account, for its counters.
    pub fn client(&self) -> &Client {
        &self.client
    }

    async fn run(&mut self, stop: &Stop, pace: &Pace) -> Tally {
        let mut tally = Tally::default();
        let mut failures_in_a_row = 0;
        while failures_in_a_row < FAILURES_IN_A_ROW && stop.may_start() {
            pace.wait().await;
            let names = self.names.take();
            let flow = issue(&mut self.client, &self.tokens, &names);
            match timeout(self.patience, flow)
                .await
                .unwrap_or(Err(AcmeError::Timeout))
            {
                Ok(issued) => {
                    tally.succeeded(&issued.timing);
                    self.chain = Some(issued.chain);
                    failures_in_a_row = 0;
                }
                Err(error) => {
                    tally.failed(error.kind(), error.to_string());
                    self.client.reset();
                    failures_in_a_row += 1;
                    tokio::time::sleep(Duration::from_millis(10) * failures_in_a_row).await;
                }
            }
        }
        tally
    }
}

/// Runs all workers until `stop` and gives them back, with what they measured and how long it took until the last
/// one was done.
pub async fn run(workers: Vec<Worker>, stop: Stop, pace: Pace) -> (Vec<Worker>, Tally, Duration) {
    let (stop, pace) = (Arc::new(stop), Arc::new(pace));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        let (stop, pace) = (Arc::clone(&stop), Arc::clone(&pace));
        tasks.spawn(async move {
            let tally = worker.run(&stop, &pace).await;
            (worker, tally)
        });
    }
    let mut workers = Vec::new();
    let mut total = Tally::default();
    while let Some(finished) = tasks.join_next().await {
        match finished {
            Ok((worker, tally)) => {
                workers.push(worker);
                total.add(tally);
            }
            Err(error) => total.failed("driver".to_owned(), error.to_string()),
        }
    }
    (workers, total, start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_names_of_its_own() {
        let mut names = Names {
            suffix: "w1.example.com".into(),
            per_order: 2,
            next: 7,
        };
        assert_eq!(names.take(), ["n7.w1.example.com", "n7-1.w1.example.com"]);
        assert_eq!(names.take(), ["n8.w1.example.com", "n8-1.w1.example.com"]);
    }

    #[test]
    fn an_even_pace_is_the_same_for_any_number_of_accounts() {
        let pace = Pace::per_second(50.0);
        let due: Vec<Instant> = (0..3).filter_map(|_| pace.next()).collect();
        assert_eq!(due[1] - due[0], Duration::from_millis(20));
        assert_eq!(due[2] - due[1], Duration::from_millis(20));
    }

    #[test]
    fn a_count_is_started_exactly_so_often() {
        let stop = Stop::After(AtomicU64::new(3));
        assert_eq!((0..10).filter(|_| stop.may_start()).count(), 3);
    }
}
