//! A disk that fails while a house sells on it: EIO and ENOSPC, once or from then on.

use std::rc::Rc;

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sale::{PurchaseMode, SaleView};

use super::super::bed::{Bed, House, quietly, writer};
use super::super::client::Heard;
use super::answers::{self, Asked, after};
use super::disk::{Chance, Cutter, Disk, Fails, Fault, Grain};
use super::front::{Below, Front, HERE, keyed};
use super::judge::{self, Broken, Check, recorded};
use super::trace::{Run, limits};
use super::{CACHE_BYTES, CACHE_BYTES_SMALL};

/// Calls after which a disk begins to fail at most: beyond what a sale needs.
const WRITES_MAX: usize = 700;
const READS_MAX: usize = 1_500;
/// Request numbers of the clients.
const SEQUENCE: u64 = 500_000;

/// What came of one failing disk.
pub enum Came {
    /// It failed before there was a house.
    NoHouse,
    /// It failed under a house, which stopped.
    Stopped,
    /// It never came to the call that fails.
    Never,
}

/// Draws what fails, and when.
pub fn drawn(chance: &mut Chance) -> Fault {
    let fails = [Fails::Read, Fails::Write, Fails::Write, Fails::Full][chance.below(4)];
    let most = if fails == Fails::Read {
        READS_MAX
    } else {
        WRITES_MAX
    };
    // As often early as late.
    let most = [most, most / 4][chance.below(2)];
    Fault {
        after: chance.below(most),
        fails,
        for_ever: chance.one_in(2),
    }
}

/// Sells on from some moment of the run until the disk fails; then nothing that was
/// answered is missing, neither to who opens the books at once nor after a power cut.
pub fn one(run: &Run, fault: Fault, chance: &mut Chance) -> Result<Came, Broken> {
    let told = &run.told[chance.below(run.told.len())];
    let mut base = run.base.clone();
    for op in &run.ops[..told.heard] {
        super::disk::whole(&mut base, op);
    }
    let disk = Disk::holding(base.clone());
    disk.fail(Some(fault));
    let sold = sell(run, told.heard, base, &disk);
    let struck = disk.struck() > 0;
    disk.fail(None);
    let Some(failed) = sold? else {
        // Whoever cannot open the books answers nobody; the disk may not have eaten them.
        recorded(&disk, CACHE_BYTES)?;
        return Ok(Came::NoHouse);
    };
    let end = failed.ops.len();
    let mut asked = Asked::default();
    let found = judge::books(&failed, disk.bytes(), end, true)?;
    answers::ask(&failed, disk.bytes(), (end, found.state), false, &mut asked)?;
    for grain in Grain::ALL {
        let mut cutter = Cutter::new(failed.base.clone(), &failed.ops);
        let (image, _) = cutter.cut(end, grain, chance);
        judge::books(&failed, image, end, false)?;
    }
    Ok(if struck { Came::Stopped } else { Came::Never })
}

/// What was done and told; `None` where the books did not even open.
fn sell(run: &Run, cut: usize, base: Vec<u8>, disk: &Disk) -> Result<Option<Run>, Broken> {
    let cache_bytes = match disk.fails_reads() {
        true => CACHE_BYTES_SMALL,
        false => CACHE_BYTES,
    };
    let Ok(store) = recorded(disk, cache_bytes) else {
        return Ok(None);
    };
    let states = Rc::clone(&store.states);
    let below = Below {
        disk: disk.clone(),
        states: Rc::clone(&states),
    };
    let at = after(run, cut);
    let (told, marks) = quietly(async {
        let Ok(seat) = writer(&store) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let bed = Bed::over(store, seat, House::at(at, 9, limits()), |ports| ports);
        let front = Front::new(bed, below, SEQUENCE, 1);
        if let Err(heard) = sales(&front).await {
            stopped(&front, &heard, disk).await?;
        }
        Ok((front.told.take(), front.marks.take()))
    })?;
    let states = states.borrow().clone();
    Ok(Some(Run {
        base,
        ops: disk.ops(),
        states,
        told,
        marks,
    }))
}

type Books = Front<super::books::Recorded<crate::store::redb::RedbStore>>;

/// The open sale to its end, and another.
async fn sales(front: &Books) -> Result<SaleView, Heard> {
    let view = front.view(SaleId(1)).await;
    match view {
        Ok(view) if !view.state.is_over() => {
            front.to_the_end(view).await?;
        }
        Err(heard) if heard.status >= 500 => return Err(heard),
        _ => {}
    }
    for sale in 100..110 {
        let view = front.open(HERE, sale, PurchaseMode::SettlementCard).await?;
        front.step(HERE, keyed(&view, "cancel")).await?;
    }
    let last = front.open(HERE, 110, PurchaseMode::SettlementCard).await?;
    front.to_the_end(last).await
}

/// The house that failed says so, and does nothing more.
async fn stopped(front: &Books, heard: &Heard, disk: &Disk) -> Result<(), Broken> {
    let (struck, text) = (disk.struck() > 0, answers::heard_text(heard));
    if heard.status == 409 {
        // A sale of the trace is open at this kiosk: nothing failed.
        return Check::Stops.holds(!struck, text);
    }
    // What cannot be read is a fault of the house, once.
    let says = heard.status == 503 || (heard.status == 500 && disk.fails_reads());
    Check::Stops.holds(struck && says, text)?;
    // Whatever can still be read, nothing is done from now on.
    for sale in 1_000..1_003 {
        let open = front.open(HERE, sale, PurchaseMode::SettlementCard).await;
        let (status, text) = match open {
            Ok(view) => (200, format!("{view:?}")),
            Err(heard) => (heard.status, answers::heard_text(&heard)),
        };
        Check::Stops.holds(status == 503, format!("after the failure: {text}"))?;
    }
    Check::Stops.holds(!front.bed.service.is_ready(), "still ready")
}
