//! A start, measured: opened, listening, and stopped at once.

use std::time::Duration;

use counterfoil_data::demo;
use counterfoil_data::seam::Clock as _;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::{Plan, SystemClock, books, demo_plan, parts, start_writer};
use crate::service::Service;
use crate::service::writer_handle::WriterHandle;

/// How long a start takes.
pub struct StartTimes {
    /// Until the books are open and their evidence root was compared.
    pub books: Duration,
    /// Until the service listens.
    pub listening: Duration,
}

/// Starts on this database as `--demo --db` does, and stops at once.
pub fn measure_start(db: &std::path::Path, clock: &SystemClock) -> anyhow::Result<StartTimes> {
    let began = clock.monotonic();
    let plan = Plan {
        bank: None,
        ..demo_plan(None, None, Some(db.to_owned()), demo::bank()?)
    };
    let (store, writer) = books(&plan)?;
    let opened = clock.monotonic();
    let (handle, queue) = WriterHandle::new();
    let thread = start_writer(queue, writer)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let parts = parts(&plan, store, handle)?;
    let local = LocalSet::new();
    let listening = local.block_on(&runtime, async {
        let service = Service::open(parts);
        let listener = TcpListener::bind(plan.listen).await?;
        let listening = clock.monotonic();
        drop((service, listener));
        std::io::Result::Ok(listening)
    })?;
    drop(local);
    drop(runtime);
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("the writer's thread was lost"))?;
    Ok(StartTimes {
        books: opened.saturating_sub(began),
        listening: listening.saturating_sub(began),
    })
}
