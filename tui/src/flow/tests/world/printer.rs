//! The modelled form printer: moves sheets, and refuses what must not happen.

use super::*;

impl World {
    /// The operator's number of the form in the printer, once.
    pub fn type_what_lies_there(&mut self) {
        let digits = self.transport.map(|n| n.to_string()).unwrap_or_default();
        self.cmd(Cmd::Clear);
        self.type_number(&digits);
    }

    /// Digits, then Enter.
    pub fn type_number(&mut self, digits: &str) {
        for digit in digits.bytes() {
            self.cmd(Cmd::Digit(digit - b'0'));
        }
        self.cmd(Cmd::Enter);
    }

    pub(super) fn printer(&mut self, act: Act, fate: u8) -> Answer {
        match (act, fate) {
            (Act::PrinterStatus, _) => {
                let paper = |there: bool| if there { Paper::Occupied } else { Paper::Empty };
                Answer::Printer(PrinterFacts {
                    transport: paper(self.transport.is_some()),
                    escrow: paper(!self.escrow.is_empty()),
                    output: paper(!self.output.is_empty()),
                    fault: false,
                    by_hand: self.by_hand,
                })
            }
            (Act::Feed(_), fate) => self.feed(fate),
            (Act::AwaitInsert(..), fate) => self.insert(fate),
            (Act::OperatorReads { first, again }, fate) => self.operator(first, again, fate),
            (Act::ReadNumber, _) if self.by_hand => Answer::OperatorMustRead,
            (Act::ReadNumber, 1) => Answer::NumberUnreadable("unreadable".to_owned()),
            (Act::ReadNumber, 2) => Answer::Fault(Remedy::CallStaff),
            (Act::ReadNumber, _) => {
                self.read = self.transport;
                self.read
                    .map_or(Answer::Fault(Remedy::CallStaff), Answer::NumberRead)
            }
            (Act::Print { job, .. }, fate) => self.ink(&job, fate),
            (Act::Divert, 1) => Answer::Fault(Remedy::CallStaff),
            (Act::Divert, 2) => {
                // Staff were there first, and it is not in the reject bin.
                self.transport = None;
                Answer::NothingToDivert
            }
            (Act::Divert, _) if self.transport.is_none() => Answer::NothingToDivert,
            (Act::Divert, _) => {
                self.transport = None;
                Answer::Diverted
            }
            (Act::Present, 1) => Answer::Fault(Remedy::CallStaff),
            (Act::Present, _) => {
                self.output.append(&mut self.escrow);
                Answer::Presented
            }
            (Act::AwaitTaken(_), _) if self.by_hand => Answer::NotSensed,
            (Act::AwaitTaken(_), 1) => Answer::StillThere,
            (Act::AwaitTaken(_), 2) => Answer::Fault(Remedy::CallStaff),
            (Act::AwaitTaken(_), _) => {
                self.taken.extend(self.output.drain(..));
                Answer::Taken
            }
            (Act::Retract, _) if self.output.is_empty() => Answer::Taken,
            (Act::Retract, _) => {
                self.output.clear();
                Answer::Retracted
            }
            (act, _) => panic!("nobody does {}", act.name()),
        }
    }

    fn feed(&mut self, fate: u8) -> Answer {
        let durable: Vec<_> = self.forms(FormState::Feeding);
        let [number] = durable[..] else {
            panic!("I5: feed with {durable:?} in Feeding");
        };
        assert!(self.transport.is_none(), "fed onto a sheet");
        let failed = |moved, empty| Answer::FeedFailed {
            moved,
            empty,
            reason: "mediaJammed".to_owned(),
        };
        match fate {
            1 => failed(false, false),
            2 => {
                self.transport = self.cassette.pop_front();
                failed(true, false)
            }
            3 => {
                // A double feed: the expected sheet lies under the one read.
                self.cassette.pop_front();
                self.transport = self.cassette.pop_front();
                Answer::Fed
            }
            4 => failed(false, true),
            _ => {
                assert!(self.fed.insert(number), "I2: {number} fired twice");
                self.transport = self.cassette.pop_front();
                Answer::Fed
            }
        }
    }

    /// A person puts in the form they were asked for, another one, or none.
    fn insert(&mut self, fate: u8) -> Answer {
        match fate {
            1 => {
                let durable: Vec<_> = self.forms(FormState::Feeding);
                assert_eq!(durable.len(), 1, "I5: waits with {durable:?} in Feeding");
                Answer::NotInserted(InsertProblem::Nothing)
            }
            4 => Answer::NotInserted(InsertProblem::Trouble),
            fate => self.feed(fate),
        }
    }

    /// The operator types what lies there, or not the same twice.
    fn operator(&mut self, first: BillNumber, again: BillNumber, fate: u8) -> Answer {
        if fate == 1 || first != again {
            return Answer::NumberUnreadable("fieldNotRead".to_owned());
        }
        self.read = Some(first);
        Answer::NumberRead(first)
    }

    fn ink(&mut self, job: &PrintJob, fate: u8) -> Answer {
        assert_eq!(self.read, Some(job.number), "S9: ink on another number");
        assert_eq!(self.transport, Some(job.number), "S9: ink on another sheet");
        match fate {
            1 => Answer::PrintFailed {
                ink: true,
                reason: "inkOut".to_owned(),
            },
            2 => Answer::PrintUnknown("fence lost".to_owned()),
            _ => {
                assert!(self.inked.insert(job.number), "inked twice");
                if self.by_hand {
                    self.taken.extend(self.transport.take());
                    return Answer::Printed("00".to_owned());
                }
                self.escrow.extend(self.transport.take());
                Answer::Printed("00".to_owned())
            }
        }
    }
}
