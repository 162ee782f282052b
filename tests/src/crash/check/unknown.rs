//! How much may be unknown after a round, and what may be left in the printer.

use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::sale::SaleState;

use super::{Findings, Sheet};

/// What was done to the kiosk in a round: what it cannot know follows from that.
#[derive(Debug, Clone, Copy, Default)]
pub struct Struck {
    /// Times it was killed.
    pub kiosk: u32,
    /// The customer took the bundle while it was dead.
    pub taken_unseen: bool,
    /// The paper jammed.
    pub jammed: bool,
    /// And nobody came to clear it: what is printed stays in the printer.
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
/// unfed and unknown too. A jam has one sheet under way, and keeps the bundle in the
/// printer if nobody clears it. A bundle is lost sight of only while the kiosk is dead.
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
    let lost = struck.kiosk.saturating_add(u32::from(struck.jammed));
    if unfed > struck.kiosk {
        let kills = struck.kiosk;
        let note = format!("{unfed} unfed forms are unknown after {kills} kills of the kiosk");
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
        let judge = |unknown: &[Option<&Sheet>], kiosk, taken_unseen, jammed| {
            let mut found = Findings::default();
            let struck = Struck {
                kiosk,
                taken_unseen,
                jammed,
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
