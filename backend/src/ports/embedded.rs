//! Embedded ports: remember what they were told, check what can be checked here.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::ready;

use counterfoil_data::citizen;
use counterfoil_data::money::Fen;
use counterfoil_data::seam::Local;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::DocumentFields;

use super::{
    Accounts, CardHost, CitizenCheck, CitizenCheckResult, Clearing, ContactMessage, ContactNotice,
    FeeBooking, Issue, PaymentCipher, PinVerifier, PortError, SealCheck, SealCheckResult,
};
use crate::workers::Bench;
use crate::workers::pin::PinHash;

/// Calls remembered per port; older ones are forgotten.
pub const REMEMBERED_MAX: usize = 1_024;

/// An outside world in memory: takes every call, ignores repeats.
#[derive(Default)]
pub struct Embedded {
    fees: RefCell<Calls<FeeBooking>>,
    contacts: RefCell<Calls<ContactNotice>>,
    issues: RefCell<Calls<Issue>>,
}

struct Calls<T> {
    by_number: BTreeMap<u64, T>,
    order: VecDeque<u64>,
}

impl<T> Default for Calls<T> {
    fn default() -> Self {
        Self {
            by_number: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> Calls<T> {
    fn take(&mut self, number: u64, call: T) {
        if self.by_number.contains_key(&number) {
            return;
        }
        self.by_number.insert(number, call);
        self.order.push_back(number);
        if self.order.len() > REMEMBERED_MAX {
            let oldest = self.order.pop_front();
            oldest.and_then(|number| self.by_number.remove(&number));
        }
    }
}

impl Embedded {
    /// Fees booked less fees given back, over what is remembered.
    pub fn fees_booked(&self) -> Fen {
        let fees = self.fees.borrow();
        let sum = fees
            .by_number
            .values()
            .fold(0_i64, |sum, fee| sum.saturating_add(fee.amount.0));
        Fen(sum)
    }

    /// Messages sent to contacts, over what is remembered.
    pub fn contacts_told(&self) -> usize {
        self.contacts.borrow().by_number.len()
    }

    /// Issues told to clearing, over what is remembered.
    pub fn issues(&self) -> Vec<Issue> {
        self.issues.borrow().by_number.values().cloned().collect()
    }
}

impl Accounts for Embedded {
    fn book(&self, booking: FeeBooking) -> Local<'_, Result<(), PortError>> {
        self.fees.borrow_mut().take(booking.entry, booking);
        Box::pin(ready(Ok(())))
    }
}

impl ContactMessage for Embedded {
    fn tell(&self, number: u64, notice: ContactNotice) -> Local<'_, Result<(), PortError>> {
        self.contacts.borrow_mut().take(number, notice);
        Box::pin(ready(Ok(())))
    }
}

impl Clearing for Embedded {
    fn tell(&self, number: u64, issue: Issue) -> Local<'_, Result<(), PortError>> {
        self.issues.borrow_mut().take(number, issue);
        Box::pin(ready(Ok(())))
    }
}

/// Checks that need nobody outside.
pub struct EmbeddedChecks;

fn argon2(bench: &mut Bench, secret: &Secret<String>, stored: Option<&str>) -> bool {
    let stored = stored.and_then(PinHash::from_phc);
    let Bench { keys, pins } = bench;
    pins.verify(keys, secret.expose(), stored.as_ref())
}

impl PinVerifier for EmbeddedChecks {
    fn verify(&self, bench: &mut Bench, pin: &Secret<String>, stored: Option<&str>) -> bool {
        argon2(bench, pin, stored)
    }
}

impl CardHost for EmbeddedChecks {
    /// There is no issuer here: nobody confirms a card.
    fn confirms(&self, _card: &Secret<String>) -> bool {
        false
    }
}

impl PaymentCipher for EmbeddedChecks {
    fn verify(&self, bench: &mut Bench, password: &Secret<String>, stored: Option<&str>) -> bool {
        argon2(bench, password, stored)
    }
}

impl CitizenCheck for EmbeddedChecks {
    /// A number with a right check digit (GB 11643) counts as found; the register's
    /// photo is never here.
    fn check(&self, document: &DocumentFields) -> CitizenCheckResult {
        match citizen::check(document.number.expose()) {
            Ok(_) => CitizenCheckResult::MatchWithoutPhoto,
            Err(_) => CitizenCheckResult::NotFound,
        }
    }
}

impl SealCheck for EmbeddedChecks {
    fn check(&self, _account: &str, _scan: &[u8]) -> SealCheckResult {
        SealCheckResult::TellerMustLook
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ports;
    use super::*;

    #[test]
    fn a_repeated_call_is_taken_once() {
        let (ports, outside) = Ports::embedded();
        let booking = FeeBooking {
            entry: 1,
            account: "6200000000000000".into(),
            amount: Fen(60),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("runtime");
        for _ in 0..3 {
            let call = ports.accounts.book(booking.clone());
            assert_eq!(runtime.block_on(call), Ok(()));
        }
        assert_eq!(outside.fees_booked(), Fen(60));
    }
}
