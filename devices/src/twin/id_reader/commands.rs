//! What the module does on each command, how it answers and how long it takes.

use std::time::Duration;

use super::{CardState, IdReaderTwin, QUICK};

/// 05.01-20200101-0001234567-0089012345, a synthetic module.
pub(super) const SAM_ID: [u8; 16] = [
    0x05, 0x00, 0x01, 0x00, 0xa5, 0x3a, 0x34, 0x01, 0x87, 0xd6, 0x12, 0x00, 0x79, 0x38, 0x4e, 0x05,
];

/// A synthetic chip.
pub(super) const CHIP_NUMBER: [u8; 28] = *b"sample chip, its 28 bytes...";

const FIND_TAKES: Duration = Duration::from_millis(200);
const SELECT_TAKES: Duration = Duration::from_millis(300);
const READ_TAKES: Duration = Duration::from_millis(900);

impl IdReaderTwin {
    /// SW3, data and how long it takes.
    pub(super) fn carry_out(&mut self, body: &[u8]) -> (u8, Vec<u8>, Duration) {
        match body {
            [0x10, 0xff] => {
                self.plate = self.plate.map(|(card, _)| (card, CardState::Laid));
                (0x90, Vec::new(), QUICK)
            }
            [0x11, 0xff] | [0x61, 0xff, _] => (0x90, Vec::new(), QUICK),
            [0x12, 0xff] => (0x90, SAM_ID.to_vec(), QUICK),
            [0x20, 0x01] => self.find_card(),
            [0x20, 0x02] => self.select_card(),
            [0x30, 0x10] if self.reads_finger => self.read_card(true),
            [0x30, 0x01] => self.read_card(false),
            [0x30, 0x03] if self.answers_without_find() => {
                let (status, data) = match self.newest_address() {
                    Some(address) => (0x90, address),
                    None => (0x91, Vec::new()),
                };
                (status, data, self.address_takes())
            }
            [0x30, 0x05] if self.answers_without_find() => (0x90, CHIP_NUMBER.to_vec(), QUICK),
            [0x30, 0x03 | 0x05] => (0x41, Vec::new(), QUICK),
            _ => (0x21, Vec::new(), QUICK),
        }
    }

    fn newest_address(&self) -> Option<Vec<u8>> {
        let (card, _) = self.plate?;
        self.documents.get(card)?.text.newest()
    }

    /// 30 03 goes to the card and back; how long that takes varies.
    fn address_takes(&mut self) -> Duration {
        let (takes, next) = match self.looks {
            0 => (150, 1),
            1 => (700, 2),
            2 => (300, 3),
            _ => (500, 0),
        };
        self.looks = next;
        Duration::from_millis(takes)
    }

    fn answers_without_find(&self) -> bool {
        let state = self.plate.map(|(_, state)| state);
        matches!(
            state,
            Some(CardState::Selected | CardState::Spent { read: true })
        )
    }

    fn find_card(&mut self) -> (u8, Vec<u8>, Duration) {
        self.finds = self.finds.saturating_add(1);
        match &mut self.plate {
            Some((_, state)) if !matches!(state, CardState::Spent { .. }) => {
                *state = CardState::Found;
                (0x9f, vec![0; 4], FIND_TAKES)
            }
            _ => (0x80, Vec::new(), FIND_TAKES),
        }
    }

    fn select_card(&mut self) -> (u8, Vec<u8>, Duration) {
        self.selects = self.selects.saturating_add(1);
        let Some((card, state @ CardState::Found)) = &mut self.plate else {
            return (0x81, Vec::new(), SELECT_TAKES);
        };
        if self.documents.get(*card).is_some_and(|d| d.genuine) {
            *state = CardState::Selected;
            return (0x90, vec![0; 8], SELECT_TAKES);
        }
        *state = CardState::Spent { read: false };
        self.forgeries = self.forgeries.saturating_add(1);
        (0x32, Vec::new(), SELECT_TAKES)
    }

    fn read_card(&mut self, with_finger: bool) -> (u8, Vec<u8>, Duration) {
        let Some((card, state @ CardState::Selected)) = &mut self.plate else {
            return (0x41, Vec::new(), QUICK);
        };
        if self.failing_reads > 0 {
            self.failing_reads = self.failing_reads.saturating_sub(1);
            *state = CardState::Spent { read: false };
            return (0x41, Vec::new(), READ_TAKES);
        }
        let Some(document) = self.documents.get(*card) else {
            return (0x41, Vec::new(), READ_TAKES);
        };
        *state = CardState::Spent { read: true };
        self.reads = self.reads.saturating_add(1);
        (0x90, document.base_data(with_finger), READ_TAKES)
    }
}
