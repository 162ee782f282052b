//! Enrols the demo bank (`counterfoil_data::demo`) through ordinary commands.
//!
//! Owns the translation from the file to commands: numbers become keyed hashes,
//! PINs argon2 strings, fingers encrypted templates. Refuses a file without two
//! custodians. Called by `app --demo` on empty books and by the testbed.

use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::ids::{AgentId, StaffId};
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::wire::sale::FingerPosition;
use counterfoil_finger::synth::{Contact, Finger};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::core::command::{Actor, Command, CommandBody, Prints};
use crate::core::record::bank::{
    AccountRow, AgentRow, BankRow, CardRow, Duty, KeyedHash, KioskRow, StaffRow, StationRow,
    UnitRow,
};
use crate::core::record::terms::Hours;
use crate::core::refusal::Refusal;
use crate::keys::{Indexed, Keys};
use crate::store::Store;
use crate::terms;
use crate::workers::pin::{Argon2Params, PinBench};
use crate::workers::print::{self, FingerImages, NotEnrolled};
use crate::writer::{Fatal, Writer};

/// How often three touches are taken at most.
const ROUNDS: u64 = 4;

/// Why the demo bank could not be enrolled.
#[derive(Debug, thiserror::Error)]
pub enum DemoEnrolError {
    /// The file lacks something the books need.
    #[error("the demo bank lacks {0}: add it to bank.toml")]
    Lacks(&'static str),
    /// The three impressions of an agent's finger are no enrolment.
    #[error("the prints of agent {agent} are not enrolled: give bank.toml another finger")]
    Prints {
        /// Whose.
        agent: AgentId,
        /// What is wrong with them.
        #[source]
        error: NotEnrolled,
    },
    /// A command was refused: the books are not empty, or the file contradicts itself.
    #[error("enrolment was refused: start with empty books")]
    Refused(#[source] Refusal),
    /// The writer failed.
    #[error("the books cannot be written")]
    Fatal(#[from] Fatal),
}

/// What enrolment needs beside the file.
pub struct Means<'a> {
    /// Keys of this backend.
    pub keys: &'a Keys,
    /// Cost of PIN hashes.
    pub params: Argon2Params,
    /// Salts and nonces.
    pub entropy: &'a dyn Entropy,
    /// When.
    pub at: Timestamp,
}

impl Means<'_> {
    fn hash(&self, kind: Indexed, text: &str) -> KeyedHash {
        KeyedHash(self.keys.index(kind, text).0)
    }

    fn command(&self, actor: Actor, body: CommandBody) -> Command {
        Command {
            at: self.at,
            salt: random(self.entropy),
            actor,
            sequence: None,
            key: None,
            signed: None,
            body,
        }
    }
}

/// Enrols `bank` into empty books.
pub fn enrol<S: Store>(
    writer: &mut Writer<S>,
    bank: &DemoBank,
    means: &Means<'_>,
) -> Result<(), DemoEnrolError> {
    give(writer, commands(bank, means)?)
}

/// Gives enrolment commands to the writer: all of them, or none.
pub fn give<S: Store>(
    writer: &mut Writer<S>,
    commands: Vec<Command>,
) -> Result<(), DemoEnrolError> {
    writer
        .enrol(&commands)?
        .map_err(|refused| DemoEnrolError::Refused(refused.refusal))
}

/// Every command that enrols `bank`, in order.
pub fn commands(bank: &DemoBank, means: &Means<'_>) -> Result<Vec<Command>, DemoEnrolError> {
    let mut bodies = vec![
        CommandBody::EnrolBank(BankRow {
            name: bank.bank.name.clone(),
            bank_number: bank.bank.bank_number.clone(),
            time_zone: bank.branch.time_zone.clone(),
            opens: bank.branch.opens,
            closes: bank.branch.closes,
        }),
        CommandBody::EnrolPolicy(terms::policy(&bank.policy)),
    ];
    bodies.extend(bank.staff.iter().map(|s| {
        CommandBody::EnrolStaff(StaffRow {
            id: s.id.clone(),
            name: s.name.clone(),
            branch: bank.branch.id.clone(),
            duty: match s.role {
                demo::Role::Officer => Duty::Officer,
                demo::Role::Teller => Duty::Teller,
                demo::Role::Custodian => Duty::Custodian,
                demo::Role::Supervisor => Duty::Supervisor,
                demo::Role::Engineer => Duty::Engineer,
                demo::Role::Auditor => Duty::Auditor,
                demo::Role::SecurityAdministrator => Duty::SecurityAdmin,
            },
            key: s.key_seed.as_ref().map(public),
        })
    }));
    let access = bank.access.as_ref().map(terms::access);
    bodies.extend(access.map(CommandBody::EnrolAccess));
    machines(bank, &mut bodies);
    customers(bank, means, &mut bodies)?;
    bodies.extend(bank.fees.iter().map(terms::fee));
    let usual = Hours {
        opens: bank.branch.opens,
        closes: bank.branch.closes,
    };
    let own = terms::calendar(&bank.calendar, usual);
    bodies.push(CommandBody::EnrolCalendar(own));
    bodies.extend(bank.list.as_ref().map(|l| terms::list(l, means.keys)));
    let mut commands: Vec<Command> = bodies
        .into_iter()
        .map(|body| means.command(Actor::System, body))
        .collect();
    commands.extend(stock(bank, means)?);
    Ok(commands)
}

fn public(seed: &demo::KeySeed) -> [u8; 32] {
    SigningKey::from_bytes(&seed.0).verifying_key().to_bytes()
}

fn machines(bank: &DemoBank, bodies: &mut Vec<CommandBody>) {
    bodies.extend(bank.kiosks.iter().map(|k| {
        CommandBody::EnrolKiosk(KioskRow {
            id: k.id.clone(),
            branch: bank.branch.id.clone(),
            branch_name: bank.branch.name.clone(),
            key: public(&k.key_seed),
            modes: k.modes.clone(),
            slots: k.slots.iter().map(|s| (s.slot.clone(), s.kind)).collect(),
            open_sale: None,
        })
    }));
    bodies.extend(bank.stations.iter().map(|s| {
        CommandBody::EnrolStation(StationRow {
            id: s.id.clone(),
            branch: bank.branch.id.clone(),
            key: public(&s.key_seed),
            officer: s.officer.clone(),
        })
    }));
}

fn customers(
    bank: &DemoBank,
    means: &Means<'_>,
    bodies: &mut Vec<CommandBody>,
) -> Result<(), DemoEnrolError> {
    let mut pins = PinBench::new(means.params);
    let mut phc = |name: &str| {
        let secret = bank.secret(name).ok_or(DemoEnrolError::Lacks("a secret"))?;
        let hash = pins.hash(means.keys, secret.expose(), means.entropy);
        let hash = hash.ok_or(DemoEnrolError::Lacks("lawful argon2 parameters"))?;
        Ok::<_, DemoEnrolError>(hash.to_phc())
    };
    for unit in &bank.units {
        bodies.push(CommandBody::EnrolUnit(UnitRow {
            id: unit.id.clone(),
            name: unit.name.clone(),
            contact_name: unit.contact.name.clone(),
            contact_phone: unit.contact.phone.clone(),
            code: unit.code.clone(),
            licence_valid_to: unit.licence_valid_to,
        }));
        let account = &unit.account;
        bodies.push(CommandBody::EnrolAccount {
            account: AccountRow {
                number: account.number.clone(),
                lookup: means.hash(Indexed::Account, &account.number),
                unit: unit.id.clone(),
                state: terms::account_state(account.state),
                kinds: account.kinds.clone(),
                unused: account.unused_forms,
                unused_before: 0,
                unused_max: account.unused_forms_max,
                password: Some(phc(&account.payment_password)?),
                forms_per_day_max: account.forms_per_day_max,
                bounced: account.bounced.clone(),
                sheet: account.password_sheet,
            },
            balance: account.balance,
        });
    }
    for agent in &bank.agents {
        bodies.push(CommandBody::EnrolAgent(agent_row(agent, means)));
        bodies.push(CommandBody::EnrolPrints {
            second: None,
            prints: prints(bank, agent, means)?,
            reason: String::new(),
        });
    }
    for card in &bank.cards {
        let (Some(unit), Some(holder)) = (&card.unit, &card.holder) else {
            continue;
        };
        let unit = bank.unit(unit).ok_or(DemoEnrolError::Lacks("a unit"))?;
        let expires = last_day(&card.expiry).ok_or(DemoEnrolError::Lacks("a card's expiry"))?;
        bodies.push(CommandBody::EnrolCard(CardRow {
            lookup: means.hash(Indexed::Card, &card.pan),
            account: unit.account.number.clone(),
            holder: holder.clone(),
            expires,
            pin: phc(&card.pin)?,
        }));
    }
    Ok(())
}

fn agent_row(agent: &demo::Agent, means: &Means<'_>) -> AgentRow {
    AgentRow {
        id: agent.id.clone(),
        unit: agent.unit.clone(),
        name: agent.name.clone(),
        name_masked: masked_name(&agent.name),
        identity: means.hash(Indexed::Citizen, &agent.citizen_number),
        name_hash: means.hash(Indexed::Name, &agent.name),
        number_masked: masked_number(&agent.citizen_number),
        mandate_from: agent.mandate_from,
        mandate_to: agent.mandate_to,
        forms_per_sale_max: agent.forms_per_sale_max,
        forms_per_day_max: agent.forms_per_day_max,
        fingers: Vec::new(),
        enrolment: 0,
    }
}

/// The prints of an agent's fingers, as a counter would take them.
fn prints(
    bank: &DemoBank,
    agent: &demo::Agent,
    means: &Means<'_>,
) -> Result<Prints, DemoEnrolError> {
    let mut seeds = Vec::new();
    let named = [
        (FingerPosition::RightIndex, Some(&agent.finger)),
        (FingerPosition::LeftIndex, agent.other_finger.as_ref()),
    ];
    for (position, name) in named {
        let Some(name) = name else { continue };
        let finger = bank.finger(name);
        let finger = finger.ok_or(DemoEnrolError::Lacks("a finger"))?;
        seeds.push((position, finger.seed));
    }
    let touch = |position, seed: u64, round: u64| {
        let grown = Finger::from_seed(seed);
        let contact =
            |n| Contact::natural(seed.wrapping_add(round.wrapping_mul(3)).wrapping_add(n));
        FingerImages {
            position,
            images: [0, 1, 2].map(|n| grown.impression(&contact(n))),
        }
    };
    let enrol = |round: u64| {
        let fingers = seeds
            .iter()
            .map(|(position, seed)| touch(*position, *seed, round));
        let fingers: Vec<_> = fingers.collect();
        print::enrol(means.keys, &agent.id, &fingers, means.entropy)
    };
    // As at a counter: three touches that are refused are taken anew.
    let mut enrolled = enrol(0);
    for round in 1..ROUNDS {
        enrolled = enrolled.or_else(|_| enrol(round));
    }
    enrolled.map_err(|error| DemoEnrolError::Prints {
        agent: agent.id.clone(),
        error,
    })
}

/// Surname and stars.
fn masked_name(name: &str) -> String {
    let mut chars = name.chars();
    let surname: String = chars.by_ref().take(1).collect();
    surname + &"*".repeat(chars.count())
}

/// First 6 and last 2 of a citizen number.
fn masked_number(number: &str) -> String {
    let (head, tail) = (number.get(..6), number.get(16..));
    let hidden = number.len().saturating_sub(8);
    let (head, tail) = (head.unwrap_or_default(), tail.unwrap_or_default());
    format!("{head}{}{tail}", "*".repeat(hidden))
}

/// Last day of a YYMM month of this century.
fn last_day(yymm: &str) -> Option<Date> {
    let (year, month) = yymm.split_at_checked(2)?;
    let year = year.parse::<i16>().ok()?.checked_add(2000)?;
    let first = Date::new(year, month.parse().ok()?, 1).ok()?;
    Some(first.last_of_month())
}

/// Two custodians receive every slot's range and load it.
fn stock(bank: &DemoBank, means: &Means<'_>) -> Result<Vec<Command>, DemoEnrolError> {
    let is_custodian = |s: &&demo::Staff| s.role == demo::Role::Custodian;
    let mut custodians = bank.staff.iter().filter(is_custodian).map(|s| s.id.clone());
    let two: (Option<StaffId>, Option<StaffId>) = (custodians.next(), custodians.next());
    let (Some(first), Some(second)) = two else {
        return Err(DemoEnrolError::Lacks("two custodians"));
    };
    let mut commands = Vec::new();
    for kiosk in &bank.kiosks {
        for slot in &kiosk.slots {
            let range = slot.range();
            let range = range.map_err(|_| DemoEnrolError::Lacks("a lawful slot range"))?;
            let receive = CommandBody::ReceiveBlanks {
                second: second.clone(),
                branch: bank.branch.id.clone(),
                range,
                count: range.count(),
            };
            let load = CommandBody::LoadCassette {
                second: second.clone(),
                kiosk: kiosk.id.clone(),
                slot: slot.slot.clone(),
                range,
            };
            for body in [receive, load] {
                commands.push(means.command(Actor::Staff(first.clone()), body));
            }
        }
    }
    Ok(commands)
}

#[cfg(test)]
mod tests;
