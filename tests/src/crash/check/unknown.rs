//! How much may be unknown after a round, and what may be left in the printer.

use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;

use super::{Findings, Sheet};
use crate::crash::fault::Unknowns;

/// What was done to the kiosk in a round: what it cannot know follows from that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Struck {
    /// Times it was killed.
    pub kiosk: u32,
    /// The customer took the bundle while it was dead.
    pub taken_unseen: bool,
    /// What faults of the paper may have left unknown, beside the kills.
    pub excused: Unknowns,
    /// Sheets that came up out of turn: nobody asked for a feed of theirs.
    pub out_of_turn: usize,
    /// Something stopped the printer and nobody came: what is printed stays in it.
    pub unmended: bool,
}

/// Paper stays in the printer only after a sale that was broken off, or where the
/// form is unknown and so waits for staff.
pub(super) fn judge_place(sheet: &Sheet, form: FormState, sale: SaleState, found: &mut Findings) {
    let left = matches!(sheet.place.as_str(), "escrow" | "output");
    if left && sale != SaleState::Suspended && form != FormState::Unknown {
        let (number, place) = (sheet.number, &sheet.place);
        let note = format!("form {number} lies in the {place} after a sale that is {sale:?}");
        found.wrong.push(note);
    }
}

/// `Unknown` is for what nobody can know, and that is little. A kiosk that is killed
/// has one form under way (wherever that goes then, also into the bundle); if its
/// blank never moved, the next feed brings it up, and the number that was to come is
/// unfed and unknown too. A fault of the paper excuses what its kind says, and keeps
/// the bundle in the printer if nobody comes. A bundle is lost sight of only while the kiosk is dead.
pub(super) fn judge_unknown(unknown: &[Option<&Sheet>], struck: Struck, found: &mut Findings) {
    let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let excused = |sheet: &&Sheet| match sheet.place.as_str() {
        "taken" => struck.taken_unseen,
        "escrow" | "output" => struck.unmended,
        _ => false,
    };
    let fed = unknown.iter().flatten().filter(|sheet| !excused(sheet));
    let fed = short(fed.count());
    let unfed = short(unknown.iter().filter(|sheet| sheet.is_none()).count());
    let lost = struck.kiosk.saturating_add(struck.excused.fed);
    let behind = struck.kiosk.saturating_add(struck.excused.unfed);
    if unfed > behind {
        let note = format!("{unfed} unfed forms are unknown, but at most {behind} may be");
        found.wrong.push(note);
    }
    if fed > lost {
        let note = format!("{fed} fed forms are unknown, but at most {lost} were under way");
        found.wrong.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(place: &str) -> Sheet {
        Sheet {
            number: "3130002100010001".parse().expect("a number"),
            inked: Vec::new(),
            partial: false,
            place: place.to_owned(),
        }
    }

    #[test]
    fn more_unknown_forms_than_blows_can_explain_are_found() {
        let (taken, reject) = (sheet("taken"), sheet("reject"));
        let judge = |unknown: &[Option<&Sheet>], kiosk, taken_unseen, jammed: bool| {
            let mut found = Findings::default();
            let excused = Unknowns {
                fed: u32::from(jammed),
                unfed: 0,
            };
            let struck = Struck {
                kiosk,
                taken_unseen,
                excused,
                out_of_turn: 0,
                unmended: false,
            };
            judge_unknown(unknown, struck, &mut found);
            found.wrong.len()
        };
        assert_eq!(judge(&[None], 0, false, true), 1);
        assert_eq!(judge(&[None, Some(&reject)], 1, false, false), 0);
        assert_eq!(judge(&[Some(&reject)], 0, false, false), 1);
        assert_eq!(judge(&[Some(&reject)], 0, false, true), 0);
        assert_eq!(judge(&[Some(&reject), Some(&reject)], 1, false, false), 1);
        assert_eq!(judge(&[Some(&taken)], 1, false, false), 0);
        assert_eq!(judge(&[Some(&taken), Some(&taken)], 1, false, false), 1);
        assert_eq!(judge(&[Some(&taken), Some(&taken)], 1, true, false), 0);
    }

    #[test]
    fn paper_left_in_the_printer_needs_a_broken_sale_or_an_unknown_form() {
        let judge = |place, form, sale| {
            let mut found = Findings::default();
            judge_place(&sheet(place), form, sale, &mut found);
            found.wrong.len()
        };
        assert_eq!(judge("escrow", FormState::Printed, SaleState::Closed), 1);
        assert_eq!(judge("escrow", FormState::Unknown, SaleState::Closed), 0);
        assert_eq!(
            judge("output", FormState::Presented, SaleState::Suspended),
            0
        );
        assert_eq!(judge("taken", FormState::Sold, SaleState::Closed), 0);
    }
}
