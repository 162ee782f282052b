//! Two measurements that take turns, so that a noisy minute strikes both.

use std::time::Duration;

/// Slices of each.
pub const SLICES: usize = 15;

/// The medians of `ours` and `peer`, each run [`SLICES`] times, turn by turn.
pub fn take_turns(
    mut ours: impl FnMut() -> anyhow::Result<Duration>,
    mut peer: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<(Duration, Duration)> {
    let (mut all, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        all.push(ours()?);
        peers.push(peer()?);
    }
    Ok((median(all), median(peers)))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
