use super::*;
use Duty::{Auditor, Custodian, Engineer, Officer, SecurityAdmin, Supervisor, Teller};

const GOLDEN: &str = include_str!("../../../../docs/staff-matrix.txt");

#[test]
fn the_table_in_the_documents_is_the_one_in_force() {
    assert_eq!(table(), GOLDEN.trim_end());
}

/// Every act with every pair of roles, in both orders, against the pairs of the document.
#[test]
fn every_act_and_pair_of_roles_is_allowed_exactly_where_the_document_says_so() {
    let mut lines = GOLDEN.lines();
    let mut asked = 0;
    for act in Act::ALL {
        let row = act.row();
        let head = lines.find(|line| line.split(' ').next() == Some(row.word));
        head.unwrap_or_else(|| panic!("{} is in the document", row.word));
        let pairs = lines.next().expect("its pairs");
        let pairs: Vec<&str> = pairs.trim().trim_start_matches("= ").split(", ").collect();
        for one in Duty::ALL {
            for other in Duty::ALL {
                let either = [(one, other), (other, one)];
                let said = |(a, b): (Duty, Duty)| {
                    pairs.contains(&format!("{}+{}", a.word(), b.word()).as_str())
                };
                let documented = either.into_iter().any(said);
                assert_eq!(
                    row.allows(&[one], &[other]),
                    documented,
                    "{act:?} {one:?} {other:?}"
                );
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 19 * 49);
}

/// What was decided act by act before there was a table, said once more in other words.
#[test]
fn the_acts_at_blanks_and_prints_are_what_they_were() {
    let keeps = |role| role == Custodian;
    let handles = |role| matches!(role, Custodian | Supervisor);
    let fronts = |role| matches!(role, Teller | Custodian | Supervisor);
    let serves = |role| matches!(role, Supervisor | Officer | Teller);
    for one in Duty::ALL {
        for other in Duty::ALL {
            let both = |lawful: fn(Duty) -> bool| lawful(one) && lawful(other);
            let supervised = [one, other].contains(&Supervisor);
            let is = |act: Act| act.row().allows(&[one], &[other]);
            for act in [
                Act::Receive,
                Act::Vault,
                Act::Load,
                Act::Unload,
                Act::Unlock,
            ] {
                assert_eq!(is(act), both(keeps), "{act:?}");
            }
            for act in [
                Act::Announce,
                Act::Resolve,
                Act::CloseSale,
                Act::Miss,
                Act::Find,
                Act::Void,
                Act::Reconcile,
                Act::AcceptClock,
            ] {
                assert_eq!(is(act), both(handles), "{act:?}");
            }
            assert_eq!(is(Act::Destroy), both(handles) && supervised);
            assert_eq!(is(Act::Return), both(fronts));
            assert_eq!(is(Act::Mark), both(fronts));
            assert_eq!(is(Act::Prints), both(serves) && supervised);
            let box_pair = [(one, other), (other, one)].contains(&(Teller, Custodian));
            assert_eq!(is(Act::Box), box_pair);
        }
    }
}

#[test]
fn nobody_keeps_blanks_and_gives_accounts_or_audits() {
    assert!(!compatible(&[]));
    assert!(!compatible(&[Officer, Officer]));
    assert!(compatible(&[Officer, Teller, Supervisor]));
    for role in Duty::ALL {
        assert!(compatible(&[role]));
        assert!(!compatible(&[Auditor, role]), "{role:?}");
        if role != Auditor {
            assert!(!compatible(&[Engineer, role]), "{role:?}");
        }
        if handles_blanks(role) || role == Officer {
            assert!(!compatible(&[SecurityAdmin, role]), "{role:?}");
        }
    }
    assert!(!compatible(&[Custodian, Officer]) && !compatible(&[Teller, Custodian]));
    assert!(!compatible(&[Custodian, Supervisor]));
    // One after the other makes no difference.
    assert!(!compatible(&[Officer, Teller, Custodian]));
}

/// Several roles of one person never make two people of one: each act still names two.
#[test]
fn a_person_with_several_roles_may_what_one_of_them_may() {
    let row = Act::Prints.row();
    assert!(row.allows(&[Officer, Supervisor], &[Teller]));
    assert!(!row.allows(&[Officer, Teller], &[Officer, Teller]));
}
