//! Clients that wait for a writer: each gives one job, waits until it is durable, gives the
//! next. The writer is one thread that takes whatever waits, at most so many, as the
//! service's does.

use std::time::Duration;

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot};

/// What a slice came to.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// Jobs done.
    pub jobs: usize,
    /// How long all took.
    pub took: Duration,
    /// How long each client waited, sorted.
    pub waits: Vec<Duration>,
    /// How long each group took from taken to durable, sorted; empty where there are none.
    pub commits: Vec<Duration>,
}

impl Slice {
    pub fn rate(&self) -> f64 {
        self.jobs as f64 / self.took.as_secs_f64()
    }

    /// The wait that so many thousandths of the clients did not exceed.
    pub fn wait_ms(&self, thousandth: usize) -> f64 {
        let at = (self.waits.len() * thousandth / 1_000).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    }

    /// Median time of a group.
    pub fn commit_ms(&self) -> f64 {
        let middle = self.commits.get(self.commits.len() / 2);
        middle.map_or(0.0, |took| took.as_secs_f64() * 1e3)
    }
}

pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

type Job<T> = (T, oneshot::Sender<()>);

/// Gives all jobs by so many clients to a writer that does groups of at most `most`.
pub fn run<T: Send + 'static>(
    clients: usize,
    jobs: Vec<T>,
    most: usize,
    mut commit: impl FnMut(Vec<T>) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<Slice> {
    let (tx, mut rx) = mpsc::channel::<Job<T>>(1_024);
    let writer = std::thread::spawn(move || -> anyhow::Result<Vec<Duration>> {
        let (mut group, mut commits) = (Vec::with_capacity(most), Vec::new());
        while rx.blocking_recv_many(&mut group, most) > 0 {
            let (jobs, askers): (Vec<T>, Vec<_>) = group.drain(..).unzip();
            let began = now();
            commit(jobs)?;
            commits.push(now().saturating_sub(began));
            for asker in askers {
                let _ = asker.send(());
            }
        }
        Ok(commits)
    });
    let slice = clients_give(clients, jobs, |job| {
        let tx = tx.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            tx.send((job, answer)).await.ok().context("the writer is gone")?;
            answered.await.context("the writer failed")
        }
    });
    drop(tx);
    let mut commits = writer.join().ok().context("the writer panicked")??;
    commits.sort();
    Ok(Slice { commits, ..slice? })
}

/// Runs so many clients on one thread, each with the next job until none is left.
pub fn clients_give<T, F: Future<Output = anyhow::Result<()>>>(
    clients: usize,
    jobs: Vec<T>,
    give: impl Fn(T) -> F,
) -> anyhow::Result<Slice> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(clients_of(clients, jobs, give))
}

/// The same on the runtime that is there.
pub async fn clients_of<T, F: Future<Output = anyhow::Result<()>>>(
    clients: usize,
    jobs: Vec<T>,
    give: impl Fn(T) -> F,
) -> anyhow::Result<Slice> {
    let count = jobs.len();
    let jobs = std::cell::RefCell::new(jobs.into_iter());
    let waits = std::cell::RefCell::new(Vec::with_capacity(count));
    let client = async || -> anyhow::Result<()> {
        loop {
            let Some(job) = jobs.borrow_mut().next() else {
                return Ok(());
            };
            let began = now();
            give(job).await?;
            waits.borrow_mut().push(now().saturating_sub(began));
        }
    };
    let began = now();
    let all: Vec<_> = (0..clients).map(|_| Box::pin(client())).collect();
    futures_util::future::try_join_all(all).await?;
    let took = now().saturating_sub(began);
    let mut waits = waits.into_inner();
    waits.sort();
    Ok(Slice {
        jobs: count,
        took,
        waits,
        commits: Vec::new(),
    })
}
