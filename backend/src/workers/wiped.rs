//! The stack of a worker, wiped after every job.
//!
//! Owns how much of it is; a job's heap is wiped by what is on it. Called by the pools.

use zeroize::zeroize_stack;

use super::Bench;

/// Bytes of stack wiped after a job; a thread has 2 MiB.
const STACK_WIPED: usize = 256 * 1024;

/// Wipes the stack below the caller.
pub fn wipe() {
    zeroize_stack::<STACK_WIPED>();
}

/// Runs a job, and wipes the stack it used before anybody hears of it: hashes and ciphers
/// leave their last block there, which may be a PIN or the end of a template (I7).
pub fn wiped<T>(job: impl FnOnce(&mut Bench) -> T, bench: &mut Bench) -> T {
    let done = apart(job, bench);
    wipe();
    done
}

/// A frame of its own, so that what the job had lies below the frame of [`wiped`].
#[inline(never)]
fn apart<T>(job: impl FnOnce(&mut Bench) -> T, bench: &mut Bench) -> T {
    job(bench)
}
