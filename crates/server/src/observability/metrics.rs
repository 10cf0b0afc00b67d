//! The Prometheus page. Nothing listens on its own: `/metrics` is a route like any other.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::process;

/// Seconds; from a cached answer to a validation that waits for somebody else's server.
const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Seconds; from a write into memory to a disk that is hardly to be used any more.
const STORE_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// Operations in one commit.
const GROUP_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The recorder behind the `metrics` facade, which is one per process by its nature.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Renders what was recorded.
#[derive(Clone)]
pub struct Page(Option<PrometheusHandle>);

/// Begins to record; later calls in the same process return the same page.
pub fn install() -> Page {
    let handle = RECORDER.get_or_init(|| {
        let recorder = with_buckets(PrometheusBuilder::new());
        match recorder.map(PrometheusBuilder::install_recorder) {
            Ok(Ok(handle)) => {
                describe();
                keep_up(handle.clone());
                Some(handle)
            }
            Ok(Err(error)) | Err(error) => {
                tracing::warn!(%error, "metrics are not recorded");
                None
            }
        }
    });
    Page(handle.clone())
}

/// Every histogram has buckets: quantiles that each node counts for itself cannot be added up.
fn with_buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    let group = Matcher::Full("certwright_store_group_size".to_owned());
    let store = Matcher::Prefix("certwright_store_".to_owned());
    let others = Matcher::Suffix("_seconds".to_owned());
    builder
        .set_buckets_for_metric(group, GROUP_BUCKETS)?
        .set_buckets_for_metric(store, STORE_BUCKETS)?
        .set_buckets_for_metric(others, DURATION_BUCKETS)
}

impl Page {
    /// The page as of now, the process's own figures included.
    pub fn render(&self) -> String {
        let mut page = self
            .0
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default();
        process::append(&mut page);
        page
    }
}

/// Folds recorded durations into their buckets every few seconds: without a scrape they would pile
/// up. A thread of its own, because the recorder outlives any one runtime.
fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            std::thread::sleep(UPKEEP_INTERVAL);
            handle.run_upkeep();
        }
    };
    let thread = std::thread::Builder::new().name("metrics-upkeep".to_owned());
    if let Err(error) = thread.spawn(upkeep) {
        tracing::warn!(%error, "durations are only folded when /metrics is read");
    }
}

fn describe() {
    describe_counter!(
        "certwright_http_requests_total",
        "Requests by route pattern, method and status."
    );
    describe_histogram!(
        "certwright_http_request_duration_seconds",
        "Time from a request's header to its answer's header."
    );
    describe_histogram!(
        "certwright_store_commit_seconds",
        "Time of a commit, until it is on the disk."
    );
    describe_histogram!(
        "certwright_store_group_size",
        "Operations that shared one commit."
    );
    describe_gauge!(
        "certwright_crl_next_update_seconds",
        "When the latest CRL of an issuer ends, in seconds since 1970."
    );
    describe_gauge!("certwright_connections_open", "Open client connections.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_processs_own_figures() {
        let page = install();
        let figure = |name: &str| -> f64 {
            let page = page.render();
            let line = page.lines().find(|line| line.starts_with(name));
            line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(figure("process_resident_memory_bytes ") > 0.0);
        assert!(figure("process_open_fds ") > 0.0);
        // The system counts in hundredths of a second, of which this process may have used none.
        while figure("process_cpu_seconds_total ") == 0.0 {
            std::hint::black_box((0..100_000_u64).sum::<u64>());
        }
    }

    #[test]
    fn every_histogram_has_buckets() {
        let page = install();
        for name in [
            "certwright_store_seconds",
            "certwright_store_queue_wait_seconds",
            "certwright_store_commit_seconds",
            "certwright_store_group_size",
            "certwright_validation_duration_seconds",
        ] {
            metrics::histogram!(name).record(2.0);
            let text = page.render();
            assert!(
                text.contains(&format!("{name}_bucket{{le=")),
                "{name}: {text}"
            );
            assert!(!text.contains("quantile="), "{text}");
        }
    }

    #[test]
    fn installing_twice_gives_one_recorder() {
        install();
        metrics::counter!("certwright_test_total").increment(3);
        assert!(install().render().contains("certwright_test_total 3"));
    }
}
