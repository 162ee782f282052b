//! Which applications of a card to try, in which order (EMV Book 1 §12.3).
//!
//! By the card's directory, or, where it has none or lists no settlement application,
//! by the known names one after the other with every longer name that begins with
//! them. Refuses what is not a settlement application.

use super::tlv::TlvError;
use super::{APPLICATIONS, CardError, Occurrence, Session, tlv};
use crate::driver::ccid::Sw;
use crate::transport::Transport;

/// Payment system environment of contact cards.
const PSE: &[u8] = b"1PAY.SYS.DDF01";
/// Records in the directory file.
const DIRECTORY_MAX: u8 = 10;
/// Applications tried.
const CANDIDATES_MAX: usize = 8;

impl<T: Transport> Session<'_, T> {
    /// AIDs to try, best first: the card's directory, or the known ones.
    pub(super) async fn candidates(&mut self) -> Result<Vec<Vec<u8>>, CardError> {
        let answer = self.select(PSE, Occurrence::First).await?;
        match answer.sw {
            Sw::OK => {}
            Sw(0x6A81) => return Err(CardError::Blocked),
            _ => return self.named().await,
        }
        let malformed = |source| CardError::Malformed {
            what: "directory",
            source,
        };
        let Some(sfi) = directory_file(&answer.data).map_err(malformed)? else {
            return self.named().await;
        };
        let mut found: Vec<(u8, Vec<u8>)> = Vec::new();
        for record in 1..=DIRECTORY_MAX {
            let answer = self.read_record(sfi, record).await?;
            if answer.sw != Sw::OK {
                break;
            }
            let body = tlv::only(&answer.data, 0x70).map_err(malformed)?;
            for entry in tlv::level(body).map_err(malformed)? {
                if entry.tag != 0x61 || found.len() >= CANDIDATES_MAX {
                    continue;
                }
                let fields = tlv::level(entry.value).map_err(malformed)?;
                let Some(aid) = tlv::find(&fields, 0x4F) else {
                    continue;
                };
                if APPLICATIONS.iter().any(|known| aid.starts_with(known)) {
                    let priority = tlv::find(&fields, 0x87).and_then(<[u8]>::first);
                    // 1 is best; 0 and none mean no order.
                    let rank = priority.map_or(16, |p| if p & 15 == 0 { 16 } else { p & 15 });
                    found.push((rank, aid.to_vec()));
                }
            }
        }
        if found.is_empty() {
            // Not every directory lists every application (EMV Book 1 §12.3.2).
            return self.named().await;
        }
        found.sort_by_key(|(rank, _)| *rank);
        Ok(found.into_iter().map(|(_, aid)| aid).collect())
    }

    /// Without a directory: each known name, and the next ones as long as they are
    /// longer than what was asked for (§12.3.3).
    async fn named(&mut self) -> Result<Vec<Vec<u8>>, CardError> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        for aid in APPLICATIONS {
            let mut which = Occurrence::First;
            while found.len() < CANDIDATES_MAX {
                let answer = self.select(&aid, which).await?;
                match answer.sw {
                    Sw::OK => {}
                    Sw(0x6A81) => return Err(CardError::Blocked),
                    _ => break,
                }
                let name = file_name(&answer.data).map_err(|source| CardError::Malformed {
                    what: "application",
                    source,
                })?;
                let name = name.unwrap_or_else(|| aid.to_vec());
                // The same again, or another family: there is no next one.
                if !name.starts_with(&aid) || found.contains(&name) {
                    break;
                }
                let exact = name == aid;
                found.push(name);
                if exact {
                    break;
                }
                which = Occurrence::Next;
            }
        }
        match found.is_empty() {
            true => Err(CardError::NotSettlementCard),
            false => Ok(found),
        }
    }
}

/// The name of what was selected (84).
fn file_name(fci: &[u8]) -> Result<Option<Vec<u8>>, TlvError> {
    let template = tlv::level(tlv::only(fci, 0x6F)?)?;
    Ok(tlv::find(&template, 0x84).map(<[u8]>::to_vec))
}

/// The directory's file number out of the answer to SELECT PSE.
fn directory_file(fci: &[u8]) -> Result<Option<u8>, TlvError> {
    let template = tlv::level(tlv::only(fci, 0x6F)?)?;
    let Some(proprietary) = tlv::find(&template, 0xA5) else {
        return Ok(None);
    };
    let fields = tlv::level(proprietary)?;
    let file = tlv::find(&fields, 0x88).and_then(<[u8]>::first).copied();
    Ok(file.filter(|sfi| (1..=10).contains(sfi)))
}
