//! The modelled backend: states of a sale, strict about their order.

use super::*;

/// Attempts with another finger in one sale.
const FINGERS_MAX: u32 = 3;

impl World {
    pub fn forms(&self, state: FormState) -> Vec<BillNumber> {
        let forms = self.sale.iter().flat_map(|sale| &sale.forms);
        forms
            .filter(|f| f.state == state)
            .map(|f| f.number)
            .collect()
    }

    pub(super) fn bank(&mut self, call: BankCall, fate: u8) -> Answer {
        // 1: lost on the way there; 2: done, and the answer lost.
        if fate == 1 {
            return Answer::Offline;
        }
        let answer = match call {
            BankCall::Kiosk(_) => Answer::Kiosk(Box::new(self.kiosk())),
            BankCall::OpenSale(open) => {
                self.document_authentic = false;
                (self.finger_wanted, self.finger_proven) = (false, false);
                self.finger_misses = 0;
                self.sale = Some(opened(open.sale, open.mode));
                self.view()
            }
            BankCall::Advise(_, advices) => self.advise(&advices),
            BankCall::TakeSheet(_, asked) => self.take_sheet(&asked),
            BankCall::SubmitFinger(..) => self.other_finger(fate),
            call => self.sale_call(call, fate),
        };
        if fate == 2 { Answer::Offline } else { answer }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one arm for each call")]
    fn sale_call(&mut self, call: BankCall, fate: u8) -> Answer {
        let Some(mut sale) = self.sale.clone() else {
            return problem("not-found", None);
        };
        self.attempt = self.attempt.wrapping_add(1);
        let attempt = self.attempt;
        match (call, sale.state) {
            (BankCall::View(_), SaleState::AwaitConfirm) => {
                sale.state = match fate {
                    3 => SaleState::Denied,
                    4 => SaleState::Ordered,
                    _ => SaleState::Confirmed,
                };
            }
            (BankCall::View(_), _) => {}
            (BankCall::SubmitInfo(..), SaleState::Opened) => {
                sale.challenge = Challenge([attempt; 16]);
                if fate == 3 {
                    self.sale = Some(sale);
                    return problem("not-verified", Some(2));
                }
                sale.state = SaleState::InfoVerified;
                sale.unit = Some(unit());
            }
            (BankCall::SubmitIdentity(..), SaleState::InfoVerified) => {
                assert_eq!(self.print_under, Some(sale.challenge), "counted twice");
                sale.challenge = Challenge([attempt; 16]);
                if fate == 3 {
                    self.sale = Some(sale);
                    return problem("not-verified", Some(1));
                }
                sale.state = SaleState::IdentityVerified;
                sale.agent = Some(AgentView {
                    name_masked: "张**".to_owned(),
                    other_fingers: vec![FingerPosition::LeftIndex],
                });
            }
            (BankCall::PlaceOrder(_, order), SaleState::IdentityVerified | SaleState::Ordered) => {
                if fate == 3 {
                    return problem("refused", None);
                }
                let forms: u32 = order.items.iter().map(|item| item.quantity).sum();
                let large = self.large_above.is_some_and(|most| forms > most);
                if large && !self.finger_proven {
                    self.finger_wanted = true;
                    return second_finger();
                }
                sale.state = SaleState::AwaitConfirm;
                sale.order = Some(self.order(order));
            }
            (BankCall::Link(..), SaleState::Confirmed) if fate == 3 => {
                sale.state = SaleState::Ordered;
                self.sale = Some(sale);
                return problem("range-moved", None);
            }
            (BankCall::Link(..), SaleState::Confirmed) if fate == 4 => {
                // L1: a rule refuses on fresh data and ends the sale; 422 with the rule.
                sale.state = SaleState::Refused;
                sale.refusal = Some(frozen());
                self.sale = Some(sale);
                return problem("refused", None);
            }
            (BankCall::Link(..), SaleState::Confirmed) => {
                self.link(&mut sale);
                sale.sheet = self.sheet.then_some(SheetView {
                    state: SheetState::Made,
                    reason: None,
                    forms: 1,
                });
            }
            (BankCall::Link(..), SaleState::Linked) => {}
            (BankCall::Cancel(..), state) if !state.is_over() && sale.linked.is_none() => {
                sale.state = SaleState::Cancelled;
            }
            (BankCall::Abandon(_, said, _), SaleState::Linked | SaleState::Dispensing) => {
                self.settle_sheet(&mut sale, said.sheet);
                for form in &mut sale.forms {
                    if form.state == FormState::Assigned {
                        form.state = FormState::Released;
                    }
                }
                let settled = sale.forms.iter().all(|f| f.state.is_settled());
                sale.state = if settled {
                    SaleState::Closed
                } else {
                    SaleState::Suspended
                };
                sale.receipt = settled.then(|| receipt(&sale));
            }
            (BankCall::CloseSale(_, said, _), SaleState::Linked | SaleState::Dispensing)
                if sale.forms.iter().all(|f| f.state.is_settled()) =>
            {
                self.settle_sheet(&mut sale, said.sheet);
                sale.state = SaleState::Closed;
                sale.receipt = Some(receipt(&sale));
            }
            (BankCall::CloseSale(..), SaleState::Closed) => {}
            (BankCall::Abandon(..), SaleState::Closed | SaleState::Suspended) => {}
            _ => return problem("out-of-order", None),
        }
        self.size += 1;
        self.sale = Some(sale);
        self.view()
    }

    /// S13: counted before it is judged; the state stays, the challenge does not. 3: does
    /// not match; 4: out of order; 5: does not match, and the answer is lost.
    fn other_finger(&mut self, fate: u8) -> Answer {
        let Some(sale) = &mut self.sale else {
            return problem("not-found", None);
        };
        let taken = matches!(sale.state, SaleState::IdentityVerified | SaleState::Ordered);
        if !taken || fate == 4 {
            return problem("out-of-order", None);
        }
        assert_eq!(self.print_under, Some(sale.challenge), "S13: counted twice");
        self.attempt = self.attempt.wrapping_add(1);
        sale.challenge = Challenge([self.attempt; 16]);
        if !matches!(fate, 3 | 5) {
            self.finger_proven = true;
            return self.view();
        }
        self.finger_misses += 1;
        let left = FINGERS_MAX - self.finger_misses;
        if left == 0 {
            sale.state = SaleState::Refused;
        }
        match fate {
            5 => Answer::Offline,
            _ => problem("not-verified", Some(left)),
        }
    }

    /// L7: given out once, under one key, when nothing is on its way.
    fn take_sheet(&mut self, asked: &TakeSheet) -> Answer {
        let Some(sale) = &mut self.sale else {
            return problem("not-found", None);
        };
        let moving = |s| {
            matches!(
                s,
                FormState::Feeding | FormState::Printed | FormState::Presented
            )
        };
        assert!(!sale.forms.iter().any(|f| moving(f.state)), "L7: too early");
        let (key, state) = (asked.seal_key(), sale.sheet.map(|sheet| sheet.state));
        match state {
            Some(SheetState::Made) => self.sheet_key = key,
            Some(SheetState::Taken) if self.sheet_key == key => {}
            _ => return problem("out-of-order", None),
        }
        if let Some(sheet) = &mut sale.sheet {
            sheet.state = SheetState::Taken;
        }
        Answer::Sheet(SheetAnswer { sheet: sealed() })
    }

    /// What the kiosk says of its sheet is what became of it.
    fn settle_sheet(&mut self, sale: &mut SaleView, said: Option<SheetOutcome>) {
        let printed = said == Some(SheetOutcome::Printed);
        assert!(
            !printed || (self.sheets == 1 && self.sheet_whole),
            "L7: a lie"
        );
        let Some(sheet) = &mut sale.sheet else {
            assert_eq!(said, None, "L7: of no sheet");
            return;
        };
        let state = if printed {
            SheetState::Printed
        } else {
            SheetState::Cancelled
        };
        *sheet = SheetView { state, ..*sheet };
    }

    fn view(&self) -> Answer {
        Answer::Sale(Box::new(self.sale.clone().expect("a sale")))
    }

    fn advise(&mut self, advices: &FormAdvices) -> Answer {
        let mut sale = self.sale.clone().expect("a sale");
        let mut supplements = Vec::new();
        for advice in &advices.advices {
            if advice.event != FormEvent::Feeding {
                let key = (advice.number, word(&advice.event));
                let written = self.outcomes_written.contains_key(&key);
                assert!(written, "I6: {key:?} sent before it was written down");
            }
            // What was heard before is acknowledged again, whatever came after it.
            if !self.heard.insert((advice.number, word(&advice.event))) {
                continue;
            }
            let at = sale.forms.iter().position(|f| f.number == advice.number);
            let at = at.expect("a form of the sale");
            let Some(state) = after(sale.forms[at].state, &advice.event) else {
                panic!("{:?} in {:?}", advice.event, sale.forms[at].state);
            };
            if state == FormState::Spoiled && sale.forms[at].state != FormState::Spoiled {
                supplements.extend(self.assign(&mut sale, 1));
            }
            sale.forms[at].state = state;
        }
        sale.state = SaleState::Dispensing;
        let jobs = &mut sale.linked.as_mut().expect("linked").jobs;
        jobs.extend(supplements.iter().cloned());
        self.sale = Some(sale.clone());
        Answer::Forms(FormsAnswer {
            accepted: advices.advices.len().try_into().expect("few"),
            supplements,
            forms: sale.forms,
        })
    }

    /// The next numbers the books have for this sale: in order, none twice.
    fn assign(&self, sale: &mut SaleView, count: u32) -> Vec<PrintJob> {
        let first: BillNumber = FIRST.parse().expect("a number");
        let used = u32::try_from(sale.forms.len()).expect("few");
        let text = sale.order.clone().expect("ordered").text;
        (used..used + count)
            .map(|i| {
                let number = BillNumber {
                    prefix: first.prefix,
                    serial: first.serial.forward(i).expect("few"),
                };
                sale.forms.push(FormView {
                    number,
                    state: FormState::Assigned,
                });
                PrintJob {
                    number,
                    slot: "slot-1".parse().expect("an id"),
                    template: "transfer-cheque".to_owned(),
                    fields: BTreeMap::new(),
                    approved: text.digest(),
                    supplement_of: None,
                }
            })
            .collect()
    }

    fn order(&self, order: Order) -> OrderView {
        let text = ConfirmText {
            account_name: UNIT.to_owned(),
            account: "6222000000000001".to_owned(),
            bank_name: "样例银行".to_owned(),
            bank_number: "313000000000".to_owned(),
            agent_masked: "张**".to_owned(),
            ranges: Vec::new(),
            count: order.items.iter().map(|i| i.quantity).sum(),
            fee: Fen(60),
        };
        OrderView {
            digest: text.digest(),
            items: order.items,
            text,
            code: "000000".to_owned(),
            deadline: None,
            seen: false,
            question: None,
        }
    }

    fn link(&self, sale: &mut SaleView) {
        let order = sale.order.clone().expect("ordered");
        let jobs = self.assign(sale, order.text.count);
        sale.state = SaleState::Linked;
        sale.linked = Some(LinkedResult {
            requisition: "L0001".to_owned(),
            ranges: Vec::new(),
            fee: order.text.fee,
            jobs,
            digest: order.digest,
            approved: order.text,
        });
    }

    fn kiosk(&self) -> KioskView {
        let open = self.sale.clone().filter(|sale| !sale.state.is_over());
        KioskView {
            kiosk: "kiosk-1".parse().expect("an id"),
            branch: "branch-1".parse().expect("an id"),
            branch_name: "样例支行".to_owned(),
            modes: self.modes.clone(),
            seal_key: hex(&OpenKey::derive(&[9; 32]).1.0),
            open_sale: open,
            slots: vec![SlotView {
                slot: "slot-1".parse().expect("an id"),
                kind: BillKind::TransferCheque,
                count: 60,
                locked: false,
            }],
            sequence: 0,
            checkpoint: Checkpoint {
                size: self.size,
                root: Digest::of(b"root"),
                note: String::new(),
            },
            witness: self.witness,
        }
    }
}
