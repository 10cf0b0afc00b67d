//! Prints how many durable transactions a second a database takes: `group_commit [URL] [TASKS] [SECONDS]`.
//!
//! Each transaction writes a row and changes it, and every answer has waited for a commit.
#![expect(clippy::print_stdout, reason = "a measurement is for reading")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use store::{Store, StoreConfig, StoreError, params};

#[tokio::main]
async fn main() -> Result<(), StoreError> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .unwrap_or_else(|| "sqlite://group_commit.db".to_owned());
    let tasks: usize = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(32);
    let seconds = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);

    let store = Store::open(StoreConfig {
        connections: tasks,
        ..StoreConfig::new(url)
    })
    .await?;
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let writes = measure(&store, tasks, deadline, write).await;
    println!("{:>9} writes/s with {tasks} tasks", writes / seconds);
    let reads = measure(
        &store,
        tasks,
        Instant::now() + Duration::from_secs(seconds),
        read,
    )
    .await;
    println!("{:>9} reads by key/s", reads / seconds);
    Ok(())
}

async fn measure<F, R>(store: &Store, tasks: usize, deadline: Instant, work: F) -> u64
where
    F: Fn(Store, String) -> R + Copy + Send + 'static,
    R: Future<Output = Result<(), StoreError>> + Send,
{
    let total = Arc::new(AtomicU64::new(0));
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let (store, total) = (store.clone(), Arc::clone(&total));
            tokio::spawn(async move {
                let mut count = 0;
                while Instant::now() < deadline {
                    work(store.clone(), format!("task {task} row {}", count % 1000)).await?;
                    count += 1;
                }
                total.fetch_add(count, Ordering::Relaxed);
                Ok::<_, StoreError>(())
            })
        })
        .collect();
    for task in running {
        match task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => println!("a task stopped: {error}"),
            Err(error) => println!("a task stopped: {error}"),
        }
    }
    total.load(Ordering::Relaxed)
}

async fn write(store: Store, id: String) -> Result<(), StoreError> {
    store
        .write("bench.write", move |tx| {
            Box::pin(async move {
                tx.execute_one(
                    "INSERT INTO jobs (id, kind, payload, created_at, attempts, revision) \
                     VALUES ($1, 'bench', '{}', 0, 0, 0) ON CONFLICT (id) DO UPDATE SET attempts = 0",
                    params![&id],
                )
                .await?;
                let sql = "UPDATE jobs SET attempts = attempts + $2 WHERE id = $1";
                tx.execute_one(sql, params![&id, 1]).await
            })
        })
        .await
}

async fn read(store: Store, id: String) -> Result<(), StoreError> {
    store
        .read("bench.read", move |tx| {
            Box::pin(async move {
                let sql = "SELECT payload, attempts FROM jobs WHERE id = $1";
                let row = tx.query_opt(sql, params![&id]).await?;
                row.map(|row| row.get::<String>(0)).transpose().map(drop)
            })
        })
        .await
}
