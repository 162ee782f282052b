//! Blanks in people's hands (domain K5, K8, K9, K11, K12), away from the kiosks' slots.
//!
//! Who may do what, always two different people of one branch, is the matrix's to say
//! (`core::matrix`); a teller's box is opened with that very teller.
//!
//! The order of the two never matters: at the API the approver acts, at the command
//! line the first one named does.

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::ids::{BranchId, SaleId, StaffId};
use counterfoil_data::wire::custody::{Act, Mark};

use super::stock::{roles, two_people};
use super::{Draft, Stop, said};
use crate::core::command::Outcome;
use crate::core::custody;
use crate::core::event::{BlanksHandled, Event, Handling, TwoPeople};
use crate::core::matrix::Act as Together;
use crate::core::record::bank::Duty;
use crate::core::record::sale::{FormRow, SaleRow};
use crate::core::record::stock::{Keeper, Place};
use crate::core::refusal::{Missing, Refusal, StockRefusal};

/// Forms in one act about sold, spoiled or missing forms at most.
pub const HANDLED_MAX: u32 = 1_000;

/// Decides an act that touches no slot.
pub fn act(draft: &mut Draft<'_>, second: StaffId, act: Act) -> Result<Outcome, Stop> {
    match act {
        Act::Announce { branch, range } => announce(draft, second, branch, range),
        Act::Dispatch {
            from,
            to,
            range,
            count,
        } => dispatch(draft, second, from.into(), to.into(), range, count),
        Act::Accept { to, range, count } => accept(draft, second, to.into(), range, count),
        Act::Count { at, kind, counted } => count(draft, second, at.into(), kind, counted),
        Act::Miss { range, seen } => miss(draft, second, range, seen),
        Act::Find {
            branch,
            range,
            seen,
        } => find(draft, second, branch, range, seen),
        Act::Void { range } => void(draft, second, range),
        Act::Destroy { range } => destroy(draft, second, range),
        Act::Return { range, seen } => take_back(draft, second, range, seen),
        Act::Mark { range, mark } => note(draft, second, range, mark),
        _ => Err(Refusal::NotYours.into()),
    }
}

fn refused<T>(refusal: StockRefusal) -> Result<T, Stop> {
    Err(Refusal::Stock(refusal).into())
}

/// Counted by hand and made by first and last must be the same.
pub(super) fn counted(range: BillRange, counted: u32) -> Result<(), Stop> {
    let by_numbers = range.count();
    if by_numbers == counted {
        return Ok(());
    }
    refused(StockRefusal::Count {
        by_numbers,
        counted,
    })
}

/// Where all of a range is.
fn place(draft: &Draft<'_>, range: BillRange) -> Result<Place, Stop> {
    match custody::find(&draft.books, range.first())? {
        Some((whole, place)) if whole.contains(range.last()) => Ok(place),
        Some(_) => refused(StockRefusal::NotThere),
        None => {
            let what = Missing::Form;
            Err(Refusal::NotFound { what }.into())
        }
    }
}

/// The people who may act for a keeper: a box is opened only with its teller.
fn keepers(draft: &Draft<'_>, second: StaffId, keeper: &Keeper) -> Result<TwoPeople, Stop> {
    let Keeper::TellerBox(branch, teller) = keeper else {
        return two_people(draft, second, keeper.branch(), Together::Vault);
    };
    let people = two_people(draft, second, branch, Together::Box)?;
    // In rehearsal the other person is not there yet: a custodian may begin.
    let [first, _] = &people;
    let custodian_begins =
        draft.rehearsal && roles(draft, first, branch)?.contains(&Duty::Custodian);
    if people.contains(teller) || custodian_begins {
        Ok(people)
    } else {
        refused(StockRefusal::BoxPeople)
    }
}

fn handle(
    draft: &mut Draft<'_>,
    how: Handling,
    range: BillRange,
    to: Place,
    by: TwoPeople,
) -> Result<Outcome, Stop> {
    let sale = to.sale();
    handle_seen(draft, how, range, to, by, sale, None)
}

fn handle_seen(
    draft: &mut Draft<'_>,
    how: Handling,
    range: BillRange,
    to: Place,
    by: TwoPeople,
    sale: Option<SaleId>,
    seen: Option<String>,
) -> Result<Outcome, Stop> {
    draft.emit(Event::BlanksHandled(Box::new(BlanksHandled {
        how,
        range,
        sale,
        to,
        seen,
        by,
    })))?;
    Ok(Outcome::Done)
}

fn announce(
    draft: &mut Draft<'_>,
    second: StaffId,
    branch: BranchId,
    range: BillRange,
) -> Result<Outcome, Stop> {
    let by = two_people(draft, second, &branch, Together::Announce)?;
    if custody::is_known(&draft.books, range)? {
        return refused(StockRefusal::Overlap);
    }
    let to = Place::Expected(branch);
    handle(draft, Handling::Announced, range, to, by)
}

fn dispatch(
    draft: &mut Draft<'_>,
    second: StaffId,
    from: Keeper,
    to: Keeper,
    range: BillRange,
    by_hand: u32,
) -> Result<Outcome, Stop> {
    let by = keepers(draft, second, &from)?;
    counted(range, by_hand)?;
    if from == to {
        return refused(StockRefusal::SameKeeper);
    }
    if let Keeper::TellerBox(branch, teller) = &to
        && !roles(draft, teller, branch)?.contains(&Duty::Teller)
    {
        return refused(StockRefusal::NoBox);
    }
    if place(draft, range)? != from.place() {
        return refused(StockRefusal::NotThere);
    }
    let to = Place::InTransit { from, to };
    handle(draft, Handling::Dispatched, range, to, by)
}

fn accept(
    draft: &mut Draft<'_>,
    second: StaffId,
    to: Keeper,
    range: BillRange,
    by_hand: u32,
) -> Result<Outcome, Stop> {
    let by = keepers(draft, second, &to)?;
    counted(range, by_hand)?;
    match place(draft, range)? {
        Place::InTransit { to: addressee, .. } if addressee == to => {}
        _ => return refused(StockRefusal::NotThere),
    }
    handle(draft, Handling::Accepted, range, to.place(), by)
}

/// Blind: whether it agrees is all that is ever told.
fn count(
    draft: &mut Draft<'_>,
    second: StaffId,
    keeper: Keeper,
    kind: BillKind,
    counted: u32,
) -> Result<Outcome, Stop> {
    let by = keepers(draft, second, &keeper)?;
    let agrees = custody::kept(&draft.books, &keeper, kind)? == u64::from(counted);
    draft.emit(Event::BlanksCounted {
        keeper,
        kind,
        counted,
        agrees,
        by,
    })?;
    Ok(Outcome::Counted { agrees })
}

/// The branch that blanks on hand belong to.
fn branch_of(draft: &Draft<'_>, place: &Place) -> Result<BranchId, Stop> {
    match place {
        Place::InVault(branch) | Place::InTellerBox(branch, _) => Ok(branch.clone()),
        Place::InTransit { to, .. } => Ok(to.branch().clone()),
        Place::InCassette(kiosk, _) => {
            let kiosk = super::stock::kiosk(draft, kiosk)?;
            super::stock::idle(draft, &kiosk)?;
            Ok(kiosk.branch)
        }
        _ => refused(StockRefusal::NotOnHand),
    }
}

fn miss(
    draft: &mut Draft<'_>,
    second: StaffId,
    range: BillRange,
    seen: String,
) -> Result<Outcome, Stop> {
    said(&seen)?;
    let branch = branch_of(draft, &place(draft, range)?)?;
    let by = two_people(draft, second, &branch, Together::Miss)?;
    let to = Place::Missing(None);
    handle_seen(draft, Handling::Missed, range, to, by, None, Some(seen))
}

/// Lost on hand: back to the vault. Lost in a sale: it was fed, so never to stock (I2).
fn find(
    draft: &mut Draft<'_>,
    second: StaffId,
    branch: BranchId,
    range: BillRange,
    seen: String,
) -> Result<Outcome, Stop> {
    said(&seen)?;
    few(range)?;
    let Place::Missing(sale) = place(draft, range)? else {
        return refused(StockRefusal::NotMissing);
    };
    let by = two_people(draft, second, &branch, Together::Find)?;
    let to = match sale {
        None => Place::InVault(branch),
        Some(sale) => Place::Retracted(sale),
    };
    handle_seen(draft, Handling::Found, range, to, by, sale, Some(seen))
}

fn few(range: BillRange) -> Result<(), Stop> {
    if range.count() <= HANDLED_MAX {
        return Ok(());
    }
    refused(StockRefusal::TooMany)
}

fn void(draft: &mut Draft<'_>, second: StaffId, range: BillRange) -> Result<Outcome, Stop> {
    few(range)?;
    let place = place(draft, range)?;
    let (Place::Spoiled(sale) | Place::Retracted(sale)) = place else {
        return refused(StockRefusal::NotSpoiled);
    };
    let branch = draft.sale(sale)?.branch;
    let by = two_people(draft, second, &branch, Together::Void)?;
    let to = Place::Voided;
    handle_seen(draft, Handling::Voided, range, to, by, Some(sale), None)
}

fn destroy(draft: &mut Draft<'_>, second: StaffId, range: BillRange) -> Result<Outcome, Stop> {
    let branch = draft.home()?;
    let by = two_people(draft, second, &branch, Together::Destroy)?;
    if place(draft, range)? != Place::Voided {
        return refused(StockRefusal::NotVoided);
    }
    handle(draft, Handling::Destroyed, range, Place::Destroyed, by)
}

/// Sold forms, all of one sale, and that sale.
fn sold(draft: &Draft<'_>, range: BillRange) -> Result<SaleRow, Stop> {
    few(range)?;
    match place(draft, range)? {
        Place::Sold { sale, .. } => Ok(draft.sale(sale)?),
        _ => refused(StockRefusal::NotSold),
    }
}

fn any_marked(row: &SaleRow, range: BillRange, marks: &[Mark]) -> bool {
    let is = |form: &FormRow| marks.iter().any(|mark| form.is_marked(*mark));
    let mut forms = row.forms.iter().filter(|f| range.contains(f.number));
    forms.any(is)
}

fn take_back(
    draft: &mut Draft<'_>,
    second: StaffId,
    range: BillRange,
    seen: String,
) -> Result<Outcome, Stop> {
    said(&seen)?;
    let row = sold(draft, range)?;
    let by = two_people(draft, second, &row.branch, Together::Return)?;
    if any_marked(&row, range, &[Mark::Paid]) {
        return refused(StockRefusal::Paid);
    }
    let (to, sale) = (Place::Voided, Some(row.sale));
    handle_seen(draft, Handling::Returned, range, to, by, sale, Some(seen))
}

/// A stopped or lost form is not paid, a paid one is not stopped.
fn note(
    draft: &mut Draft<'_>,
    second: StaffId,
    range: BillRange,
    mark: Mark,
) -> Result<Outcome, Stop> {
    let row = sold(draft, range)?;
    let by = two_people(draft, second, &row.branch, Together::Mark)?;
    let barred = [Mark::Stopped, Mark::ReportedLost];
    match mark {
        Mark::Paid if any_marked(&row, range, &barred) => return refused(StockRefusal::Barred),
        Mark::Stopped | Mark::ReportedLost if any_marked(&row, range, &[Mark::Paid]) => {
            return refused(StockRefusal::Paid);
        }
        _ => {}
    }
    if any_marked(&row, range, &[mark]) {
        return refused(StockRefusal::Marked);
    }
    let sale = row.sale;
    draft.emit(Event::FormsMarked {
        sale,
        range,
        mark,
        by,
    })?;
    Ok(Outcome::Done)
}
