//! Nobody approves what they proposed or did not see; nothing is sent half said.

use counterfoil_data::wire::custody::{
    LockedView, ProposalState, Resolved, SuspendedView, UnknownView,
};

use super::*;

fn number() -> counterfoil_data::bill::BillNumber {
    "3130002100010012".parse().expect("a number")
}

fn form(given: bool) -> UnknownView {
    UnknownView {
        number: number(),
        sale: counterfoil_data::ids::SaleId(1),
        requisition: "branch-1-20260115-00001".into(),
        kiosk: "kiosk-1".parse().expect("an id"),
        given,
    }
}

fn proposal(by: &str, act: Act, state: ProposalState) -> ProposalView {
    ProposalView {
        proposal: 7,
        by: by.parse().expect("an id"),
        by_name: "样例管库员".into(),
        at: Timestamp::from_second(0).expect("a time"),
        expires: Timestamp::from_second(1_800).expect("a time"),
        digest: act.digest(),
        act,
        state,
        decided_by: None,
        requisition: Some("branch-1-20260115-00001".into()),
    }
}

fn spoiled() -> Act {
    Act::Resolve {
        number: number(),
        to: Resolved::Spoiled,
        seen: "torn".into(),
    }
}

fn view(proposals: Vec<ProposalView>) -> CustodyView {
    CustodyView {
        staff: "custodian-a".parse().expect("an id"),
        name: "样例管库员甲".into(),
        sequence: 0,
        proposals,
        unknown: vec![form(true)],
        locked: vec![LockedView {
            kiosk: "kiosk-1".parse().expect("an id"),
            slot: "slot-1".parse().expect("an id"),
            kind: counterfoil_data::bill::BillKind::TransferCheque,
            head: Some(number()),
        }],
        suspended: vec![SuspendedView {
            sale: counterfoil_data::ids::SaleId(2),
            state: counterfoil_data::wire::sale::SaleState::Suspended,
            requisition: "branch-1-20260115-00002".into(),
            kiosk: "kiosk-1".parse().expect("an id"),
            open: 1,
        }],
    }
}

fn desk(proposals: Vec<ProposalView>) -> Custody {
    let mut desk = Custody::new(Language::En);
    desk.news(view(proposals));
    desk
}

fn press(desk: &mut Custody, keys: &[Key]) -> Option<Action> {
    keys.iter().map(|key| desk.key(key)).last().flatten()
}

fn name(desk: &Custody) -> &'static str {
    desk.screen(Timestamp::UNIX_EPOCH).body.name()
}

#[test]
fn an_unknown_form_is_proposed_only_with_what_was_seen() {
    let mut desk = desk(Vec::new());
    press(&mut desk, &[Key::Enter]);
    assert_eq!(name(&desk), "Choose");
    press(&mut desk, &[Key::Char('2')]);
    assert_eq!(name(&desk), "Say");
    assert_eq!(press(&mut desk, &[Key::Char(' '), Key::Enter]), None);
    let said = desk.screen(Timestamp::UNIX_EPOCH).notice;
    assert_eq!(said, Some(CustodyNotice::Unsaid));
    let torn: Vec<Key> = "torn".chars().map(Key::Char).chain([Key::Enter]).collect();
    assert_eq!(press(&mut desk, &torn), Some(Action::Propose(spoiled())));
    assert_eq!(name(&desk), "Say", "until the backend answers");
}

#[test]
fn what_is_typed_is_kept_when_the_bank_is_out_of_reach_and_is_at_most_200_characters() {
    let mut desk = desk(Vec::new());
    press(
        &mut desk,
        &[Key::Enter, Key::Enter, Key::Paste("见".repeat(250))],
    );
    let first = press(&mut desk, &[Key::Enter]);
    let Some(Action::Propose(act)) = &first else {
        panic!("{first:?}");
    };
    assert_eq!(act.seen().map(|s| s.chars().count()), Some(SEEN_MAX));
    desk.answered(Err(CustodyNotice::NotSent));
    assert_eq!(press(&mut desk, &[Key::Enter]), first, "the same once more");
}

#[test]
fn a_number_read_in_anothers_place_cannot_be_called_sold() {
    let stray = Subject::Form(form(false));
    assert!(!stray.choices().contains(&Choice::Sold));
    assert!(Subject::Form(form(true)).choices().contains(&Choice::Sold));
}

#[test]
fn a_sale_with_open_forms_is_not_proposed_to_be_closed() {
    let mut desk = desk(Vec::new());
    press(&mut desk, &[Key::Down, Key::Down, Key::Enter]);
    assert_eq!(press(&mut desk, &[Key::Enter]), None);
    let said = desk.screen(Timestamp::UNIX_EPOCH).notice;
    assert_eq!(said, Some(CustodyNotice::FormsOpen(1)));
}

#[test]
fn ones_own_proposal_can_be_taken_back_and_never_approved() {
    let mut desk = desk(vec![proposal(
        "custodian-a",
        spoiled(),
        ProposalState::Open,
    )]);
    press(&mut desk, &[Key::Enter]);
    assert_eq!(name(&desk), "Proposal");
    assert_eq!(press(&mut desk, &[Key::Char('y')]), None);
    let (proposal, digest) = (7, spoiled().digest());
    let back = Some(Action::Refuse { proposal, digest });
    assert_eq!(press(&mut desk, &[Key::Char('n')]), back);
}

#[test]
fn what_is_proposed_stands_in_the_list_once() {
    let count = |desk: &Custody| match desk.screen(Timestamp::UNIX_EPOCH).body {
        CustodyBody::Waiting { rows, .. } => rows.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&desk(Vec::new())), 3);
    let open = proposal("custodian-b", spoiled(), ProposalState::Open);
    assert_eq!(
        count(&desk(vec![open])),
        3,
        "the proposal in place of the form"
    );
    let over = proposal("custodian-b", spoiled(), ProposalState::Refused);
    assert_eq!(count(&desk(vec![over])), 4);
}

#[test]
fn another_persons_proposal_comes_first_and_is_approved_by_its_digest() {
    let theirs = proposal("custodian-b", spoiled(), ProposalState::Open);
    let mut desk = desk(vec![theirs.clone()]);
    press(&mut desk, &[Key::Enter]);
    let approve = Some(Action::Approve {
        proposal: 7,
        digest: spoiled().digest(),
        count: None,
    });
    assert_eq!(press(&mut desk, &[Key::Char('y')]), approve);
    let done = ProposalView {
        state: ProposalState::Done,
        ..theirs
    };
    desk.answered(Ok(done));
    for key in [Key::Char('y'), Key::Char('n'), Key::Enter] {
        assert_eq!(desk.key(&key), None, "it is over");
    }
}

#[test]
fn an_act_with_a_count_needs_the_approvers_own() {
    let receive = Act::Receive {
        branch: "branch-1".parse().expect("an id"),
        range: counterfoil_data::bill::BillRange::single(number()),
        count: 0,
    };
    let mut desk = desk(vec![proposal("custodian-b", receive, ProposalState::Open)]);
    press(&mut desk, &[Key::Enter]);
    assert_eq!(press(&mut desk, &[Key::Char('y')]), None);
    let said = desk.screen(Timestamp::UNIX_EPOCH).notice;
    assert_eq!(said, Some(CustodyNotice::Uncounted));
    match press(&mut desk, &[Key::Char('2'), Key::Char('5'), Key::Char('y')]) {
        Some(Action::Approve { count, .. }) => assert_eq!(count, Some(25)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_settled_meanwhile_leads_back_to_the_list() {
    let mut desk = desk(Vec::new());
    press(&mut desk, &[Key::Enter, Key::Enter, Key::Char('x')]);
    assert_eq!(name(&desk), "Say");
    let mut later = view(Vec::new());
    later.unknown.clear();
    desk.news(later);
    let screen = desk.screen(Timestamp::UNIX_EPOCH);
    assert_eq!(screen.body.name(), "Waiting");
    assert_eq!(screen.notice, Some(CustodyNotice::Settled));
}
