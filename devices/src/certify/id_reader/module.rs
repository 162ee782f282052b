//! The driver's hello, with nothing on the plate.

use std::time::Duration;

use super::super::{Verdict, ensure, expect};
use super::IdBench;
use crate::transport::Bus;

pub(super) async fn opens<B: Bus>(c: &IdBench<B>) -> Verdict {
    let reader = c.open().await?;
    let id = reader.sam_id().to_owned();
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    // 05.01-20200101-0001234567-0089012345.
    expect("the parts of its identity", parts, vec![5, 8, 10, 10])?;
    c.0.learn("security module", id.clone());
    Ok(id)
}

pub(super) async fn same_module<B: Bus>(c: &IdBench<B>) -> Verdict {
    let first = c.open().await?.sam_id().to_owned();
    for _ in 0..4 {
        let again = c.open().await?.sam_id().to_owned();
        expect("the module", again, first.clone())?;
    }
    Ok(String::new())
}

pub(super) async fn nobody<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let began = c.0.now();
    let found = reader.poll_card(Duration::from_secs(2)).await?;
    let took = c.0.now().saturating_sub(began);
    ensure(!found, "it found a card")?;
    ensure(
        took < Duration::from_secs(5),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(String::new())
}
