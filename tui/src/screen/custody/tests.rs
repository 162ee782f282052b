//! Every screen, both languages, the sizes people have.

use counterfoil_data::bill::{BillKind, BillNumber};
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::custody::{Act, LockedView, Resolved, SuspendedView, UnknownView};
use counterfoil_data::wire::sale::SaleState;
use jiff::Timestamp;

use super::*;
use crate::model::Language;

fn number() -> BillNumber {
    "3130002100010012".parse().expect("a number")
}

fn subjects() -> [Subject; 3] {
    let kiosk = "kiosk-1"
        .parse::<counterfoil_data::ids::KioskId>()
        .expect("an id");
    let requisition = "branch-1-20260115-00001".to_owned();
    [
        Subject::Form(UnknownView {
            number: number(),
            sale: SaleId(1),
            requisition: requisition.clone(),
            kiosk: kiosk.clone(),
            given: true,
        }),
        Subject::Slot(LockedView {
            kiosk: kiosk.clone(),
            slot: "slot-1".parse().expect("an id"),
            kind: BillKind::CommercialAcceptance,
            head: Some(number()),
        }),
        Subject::Sale(SuspendedView {
            sale: SaleId(2),
            state: SaleState::Suspended,
            requisition,
            kiosk,
            open: 3,
        }),
    ]
}

fn proposal(seen: &str) -> ProposalView {
    let act = Act::Resolve {
        number: number(),
        to: Resolved::Spoiled,
        seen: seen.to_owned(),
    };
    ProposalView {
        proposal: 1,
        by: "custodian-a".parse().expect("an id"),
        by_name: "样例管库员甲".into(),
        at: Timestamp::UNIX_EPOCH,
        expires: Timestamp::UNIX_EPOCH,
        digest: act.digest(),
        act,
        state: ProposalState::Open,
        decided_by: None,
        requisition: Some("branch-1-20260115-00001".into()),
    }
}

fn screen(body: CustodyBody, language: Language) -> CustodyScreen {
    CustodyScreen {
        language,
        name: "样例主管".into(),
        offline: false,
        notice: Some(CustodyNotice::Refused {
            reason: Some("same-person".into()),
            detail: "you proposed it".into(),
        }),
        body,
    }
}

fn rows(screen: &CustodyScreen, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(screen, area, &mut buffer);
    (0..height)
        .map(|y| {
            let cells = (0..width).filter_map(|x| buffer.cell((x, y)));
            // A wide character's second cell is a space of the buffer's own.
            cells.map(|c| c.symbol()).collect::<String>() + "\n"
        })
        .collect()
}

#[test]
fn every_screen_fits_80x24_in_both_languages_with_the_longest_remark_and_a_notice() {
    let longest = "情".repeat(SEEN_MAX);
    for language in [Language::ZhHans, Language::En] {
        let mut bodies: Vec<CustodyBody> = Vec::new();
        for own in [true, false] {
            bodies.push(CustodyBody::Proposal {
                proposal: Box::new(proposal(&longest)),
                own,
                count: None,
                seconds_left: Some(1_800),
            });
        }
        for subject in subjects() {
            let choices = subject.choices();
            bodies.push(CustodyBody::Say {
                subject: subject.clone(),
                choice: choices[0],
                text: longest.clone(),
            });
            let focus = 0;
            bodies.push(CustodyBody::Choose {
                subject,
                choices,
                focus,
            });
        }
        let waiting = subjects().map(Row::Subject).to_vec();
        bodies.push(CustodyBody::Waiting {
            rows: waiting,
            focus: 0,
        });
        for body in bodies {
            let name = body.name();
            let page = page(&screen(body, language));
            assert!(page.fits(Rect::new(0, 0, 80, 24)), "{name} in {language:?}");
        }
    }
}

#[test]
fn a_proposal_that_does_not_fit_is_not_half_shown_for_approval() {
    let seen = "in the reject bin, torn across, number read by both ".repeat(4);
    let body = CustodyBody::Proposal {
        proposal: Box::new(proposal(&seen)),
        own: false,
        count: None,
        seconds_left: Some(60),
    };
    let small = rows(&screen(body.clone(), Language::En), 40, 12);
    assert!(
        !small.contains("00010012") && !small.contains("Approve"),
        "{small}"
    );
    let whole = rows(&screen(body, Language::En), 80, 24);
    let code = code(&proposal(&seen).digest);
    for part in [
        "00010012",
        "Y Approve",
        code.as_str(),
        "Another person must approve it",
    ] {
        assert!(whole.contains(part), "{part} in\n{whole}");
    }
}

#[test]
fn a_refusal_nobody_has_words_for_is_said_in_the_backends() {
    let words = Words::of(Language::En);
    let refused = |reason: Option<&str>| CustodyNotice::Refused {
        reason: reason.map(str::to_owned),
        detail: "the slot is for another kind".to_owned(),
    };
    assert!(said(words, &refused(Some("of-a-later-version"))).contains("another kind"));
    assert!(said(words, &refused(None)).contains("another kind"));
    assert!(said(words, &refused(Some("kiosk-busy"))).contains("Wait until"));
}
