//! Reading a unit settlement card (单位结算卡): PBOC 3.0 / EMV contact debit.
//!
//! Owns the command sequence from directory to dynamic authentication, and the
//! verdict: `Genuine` only when the chip signed *our* fresh random with a key
//! certified by a known scheme key; anything less is for the host to confirm.
//! Refuses altered or contradictory cards. Never writes to the card, asks for a
//! cryptogram only where the chip proves itself in no other way, keeps no track data.
//! Called by the kiosk's host (S4).
//!
//! ```text
//!  power on → SELECT PSE → READ RECORD… → SELECT AID → GPO → READ RECORD…
//!          └─ no PSE: known AIDs ────────┘      │ 6985: next │
//!  fields agree → in date → issuer cert → ICC cert → INTERNAL AUTHENTICATE → power off
//!                                                  └ CDA only: GENERATE AC ┘
//! ```

pub mod capk;
pub mod error;
pub mod fields;
pub mod oda;
pub mod tlv;

mod authenticate;
mod candidates;

#[cfg(test)]
mod tests;

use std::time::Duration;

use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::CardProof;
use jiff::civil::Date;
use zeroize::Zeroizing;

pub use capk::{Capk, CapkError, Capks};
pub use error::CardError;

use fields::{Group, Terminal, YearMonth};
use tlv::TlvError;

use crate::driver::ccid::{Reader, Response, Sw};
use crate::transport::Transport;

/// RID of UnionPay.
pub const RID_UNIONPAY: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x33];
/// Applications taken for a settlement card, in order: debit, credit, quasi-credit.
const APPLICATIONS: [[u8; 8]; 3] = [
    [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x01],
    [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x02],
    [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x03],
];
/// Data objects kept from one card.
const OBJECTS_MAX: usize = 128;

/// What was read.
#[derive(Debug)]
pub struct SettlementCard {
    /// Card number, 13 to 19 digits, Luhn-good.
    pub pan: Secret<String>,
    /// Year and month, two digits each.
    pub expiry: YearMonth,
    /// Sequence number of the card (5F34).
    pub sequence: Option<u8>,
    /// Holder's name as the chip says; a hint only, the host knows the unit.
    pub holder_hint: Option<Secret<String>>,
    /// What the chip proved.
    pub proof: CardProof,
}

/// Everything the records said, wiped when dropped.
struct Profile {
    interchange: [u8; 2],
    objects: Vec<(u32, Zeroizing<Vec<u8>>)>,
    /// Authenticated records in order, as the hash wants them.
    authenticated: Zeroizing<Vec<u8>>,
    /// Values the card was given for its PDOL.
    given: Vec<u8>,
}

impl Profile {
    fn find(&self, tag: u32) -> Option<&[u8]> {
        let object = self.objects.iter().find(|(t, _)| *t == tag)?;
        Some(object.1.as_slice())
    }

    fn keep(&mut self, what: &'static str, body: &[u8]) -> Result<(), CardError> {
        let malformed = |source| CardError::Malformed { what, source };
        for object in tlv::level(body).map_err(malformed)? {
            if self.find(object.tag).is_some() {
                return Err(malformed(TlvError::Twice(object.tag)));
            }
            if self.objects.len() >= OBJECTS_MAX {
                return Err(malformed(TlvError::Many));
            }
            self.objects
                .push((object.tag, Zeroizing::new(object.value.to_vec())));
        }
        Ok(())
    }
}

/// P2 of SELECT.
#[derive(Clone, Copy)]
enum Occurrence {
    First = 0,
    Next = 2,
}

/// One read: the reader and the time it has.
struct Session<'a, T: Transport> {
    reader: &'a mut Reader<T>,
    deadline: Duration,
}

impl<T: Transport> Session<'_, T> {
    fn left(&self) -> Result<Duration, CardError> {
        let left = self
            .deadline
            .saturating_sub(self.reader.clock().monotonic());
        if left.is_zero() {
            Err(CardError::Late)
        } else {
            Ok(left)
        }
    }

    async fn send(&mut self, apdu: &[u8]) -> Result<Response, CardError> {
        let within = self.left()?;
        Ok(self.reader.transmit(apdu, within).await?)
    }

    /// SELECT by name, the first or only occurrence, or the next one.
    async fn select(&mut self, name: &[u8], which: Occurrence) -> Result<Response, CardError> {
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        let mut apdu = vec![0x00, 0xA4, 0x04, which as u8, length];
        apdu.extend_from_slice(name);
        apdu.push(0);
        self.send(&apdu).await
    }

    async fn read_record(&mut self, sfi: u8, record: u8) -> Result<Response, CardError> {
        let file = (sfi << 3) | 4;
        self.send(&[0x00, 0xB2, record, file, 0]).await
    }

    /// SELECT and GET PROCESSING OPTIONS; `None` = not usable, try the next.
    async fn start(
        &mut self,
        aid: &[u8],
        terminal: Terminal,
    ) -> Result<Option<(Profile, Vec<Group>)>, CardError> {
        let answer = self.select(aid, Occurrence::First).await?;
        match answer.sw {
            Sw::OK => {}
            Sw(0x6A81) => return Err(CardError::Blocked),
            _ => return Ok(None),
        }
        let selected = |source| CardError::Malformed {
            what: "application",
            source,
        };
        let list = processing_list(&answer.data).map_err(selected)?;
        let filled = terminal.fill(&list).map_err(selected)?;
        let length = u8::try_from(filled.len()).unwrap_or(u8::MAX);
        let mut apdu = vec![0x80, 0xA8, 0, 0, length.saturating_add(2), 0x83, length];
        apdu.extend_from_slice(&filled);
        apdu.push(0);
        let answer = self.send(&apdu).await?;
        match answer.sw {
            Sw::OK => {
                let (mut profile, groups) = options(&answer.data)?;
                profile.given = filled;
                Ok(Some((profile, groups)))
            }
            Sw(0x6985) => Ok(None),
            Sw(sw) => Err(CardError::Refused {
                command: "processing options",
                sw,
            }),
        }
    }

    async fn read_groups(
        &mut self,
        profile: &mut Profile,
        groups: &[Group],
    ) -> Result<(), CardError> {
        for group in groups {
            let mut authenticated = group.authenticated;
            for record in group.first..=group.last {
                let answer = self.read_record(group.sfi, record).await?;
                if answer.sw != Sw::OK {
                    let sw = answer.sw.0;
                    return Err(CardError::Refused {
                        command: "read record",
                        sw,
                    });
                }
                let malformed = |source| CardError::Malformed {
                    what: "record",
                    source,
                };
                let body = tlv::only(&answer.data, 0x70).map_err(malformed)?;
                profile.keep("record", body)?;
                if let Some(left) = authenticated.checked_sub(1) {
                    authenticated = left;
                    // Book 3 §10.3: without template and length in files 1 to 10.
                    let covered = if group.sfi <= 10 { body } else { &answer.data };
                    profile.authenticated.extend_from_slice(covered);
                }
            }
        }
        Ok(())
    }
}

/// The list of what the card wants to know (9F38), empty if it asks nothing.
fn processing_list(fci: &[u8]) -> Result<Vec<u8>, TlvError> {
    let template = tlv::level(tlv::only(fci, 0x6F)?)?;
    let proprietary = tlv::find(&template, 0xA5).unwrap_or_default();
    let fields = tlv::level(proprietary)?;
    Ok(tlv::find(&fields, 0x9F38).unwrap_or_default().to_vec())
}

/// Profile and file locator, in format 1 (80) or 2 (77).
fn options(answer: &[u8]) -> Result<(Profile, Vec<Group>), CardError> {
    let malformed = |source| CardError::Malformed {
        what: "processing options",
        source,
    };
    let (interchange, locator) = match answer.first() {
        Some(0x80) => tlv::only(answer, 0x80)
            .map_err(malformed)?
            .split_first_chunk::<2>(),
        _ => {
            let fields = tlv::only(answer, 0x77)
                .and_then(tlv::level)
                .map_err(malformed)?;
            let interchange = tlv::find(&fields, 0x82).and_then(|v| v.as_array::<2>());
            interchange.zip(tlv::find(&fields, 0x94))
        }
    }
    .ok_or(CardError::Field("application profile"))?;
    let groups = fields::file_locator(locator).ok_or(CardError::Field("file locator"))?;
    let profile = Profile {
        interchange: *interchange,
        objects: Vec::new(),
        authenticated: Zeroizing::new(Vec::new()),
        given: Vec::new(),
    };
    Ok((profile, groups))
}

/// Number, expiry and hint; every field that is there twice must agree.
fn identify(profile: &Profile, today: Date) -> Result<SettlementCard, CardError> {
    let pan_field = profile.find(0x5A).ok_or(CardError::Field("card number"))?;
    let pan = fields::pan(pan_field).ok_or(CardError::Field("card number"))?;
    let expiry_field = profile.find(0x5F24).ok_or(CardError::Field("expiry"))?;
    let expiry = fields::expiry(expiry_field).ok_or(CardError::Field("expiry"))?;
    let track = profile.find(0x57).ok_or(CardError::Field("track 2"))?;
    let track = fields::track2(track).ok_or(CardError::Field("track 2"))?;
    if track.pan.expose() != pan.expose() || track.expiry != expiry {
        return Err(CardError::Field("track 2"));
    }
    if !fields::in_date(expiry, today) {
        return Err(CardError::Expired);
    }
    let holder = profile.find(0x5F20).and_then(|name| {
        let text = String::from_utf8(name.to_vec()).ok()?;
        let text = text.trim_end().to_owned();
        (!text.is_empty() && text.chars().all(|c| !c.is_control())).then(|| Secret::new(text))
    });
    Ok(SettlementCard {
        pan,
        expiry,
        sequence: profile.find(0x5F34).and_then(<[u8]>::first).copied(),
        holder_hint: holder,
        proof: CardProof::HostMustConfirm,
    })
}

/// Reads the card in the slot: powers it, reads and authenticates it, powers it
/// off whatever happened. `today` is the business date; `within` bounds the reading. A
/// reader that went silent gets five seconds more, for the abort and the power off.
pub async fn read_settlement_card<T: Transport>(
    reader: &mut Reader<T>,
    capks: &Capks,
    entropy: &dyn Entropy,
    today: Date,
    within: Duration,
) -> Result<SettlementCard, CardError> {
    let deadline = reader.clock().monotonic().saturating_add(within);
    reader.power_on(within).await?;
    let mut session = Session { reader, deadline };
    let read = read_powered(&mut session, capks, entropy, today).await;
    // The verdict counts; a card pulled just now has already given it.
    let off = session.reader.power_off().await;
    let card = read?;
    off?;
    Ok(card)
}

async fn read_powered<T: Transport>(
    session: &mut Session<'_, T>,
    capks: &Capks,
    entropy: &dyn Entropy,
    today: Date,
) -> Result<SettlementCard, CardError> {
    for aid in session.candidates().await? {
        let terminal = Terminal {
            random: random(entropy),
            today,
        };
        let Some((mut profile, groups)) = session.start(&aid, terminal).await? else {
            continue;
        };
        session.read_groups(&mut profile, &groups).await?;
        let mut card = identify(&profile, today)?;
        let rid = aid.get(..5).unwrap_or_default();
        // A fresh random, never the one the card has already seen (a recorded
        // signature must not fit).
        let terminal = Terminal {
            random: random(entropy),
            today,
        };
        card.proof = session.authenticate(&profile, capks, rid, terminal).await?;
        return Ok(card);
    }
    Err(CardError::NotSettlementCard)
}
