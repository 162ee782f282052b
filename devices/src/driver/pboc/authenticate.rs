//! Which authentication a card offers, and running it (EMV Book 3 §10.3).
//!
//! ```text
//!  profile   scheme key good   result
//!  DDA       yes               Genuine, or NotAuthentic
//!  CDA only  yes               Genuine, or NotAuthentic; HostMustConfirm where the card
//!                              declines, since then it signs nothing
//!  SDA only  yes               HostMustConfirm (a copy replays it), or NotAuthentic
//!  none, or key unknown, or key or list past its day: HostMustConfirm
//! ```
//!
//! A card that offers both is asked for DDA, which moves no money counter.

use counterfoil_data::wire::sale::CardProof;

use super::capk::Capks;
use super::fields::Terminal;
use super::oda::{self, Certificate, Combined, Key, OdaError};
use super::tlv::Tlv;
use super::{CardError, Profile, Session, tlv};
use crate::driver::ccid::Sw;
use crate::transport::Transport;

/// AIP byte 1: static data authentication.
const AIP_SDA: u8 = 0x40;
/// AIP byte 1: dynamic data authentication.
const AIP_DDA: u8 = 0x20;
/// AIP byte 1: combined dynamic data authentication.
const AIP_CDA: u8 = 0x01;
/// P1 of GENERATE AC: an online cryptogram, with a combined signature.
const ONLINE_SIGNED: u8 = 0x90;
/// Kind of a cryptogram in 9F27; zero = declined.
const KIND: u8 = 0xC0;
/// What a card without 9F49 wants signed: our random.
const DEFAULT_LIST: [u8; 3] = [0x9F, 0x37, 0x04];
/// Our random in a list.
const RANDOM: (u32, u8) = (0x9F37, 4);

impl Profile {
    fn need(&self, tag: u32) -> Result<&[u8], CardError> {
        self.find(tag)
            .ok_or(CardError::NotAuthentic(OdaError::Missing(tag)))
    }

    /// What the certificates are hashed over: the records, and the profile itself
    /// when 9F4A names it (and it may name nothing else).
    fn static_data(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, CardError> {
        let mut data = self.authenticated.clone();
        match self.find(0x9F4A) {
            None => {}
            Some([0x82]) => data.extend_from_slice(&self.interchange),
            Some(_) => return Err(CardError::NotAuthentic(OdaError::StaticList)),
        }
        Ok(data)
    }
}

impl<T: Transport> Session<'_, T> {
    pub(super) async fn authenticate(
        &mut self,
        profile: &Profile,
        capks: &Capks,
        rid: &[u8],
        terminal: Terminal,
    ) -> Result<CardProof, CardError> {
        let [offers, _] = profile.interchange;
        if offers & (AIP_SDA | AIP_DDA | AIP_CDA) == 0 {
            return Ok(CardProof::HostMustConfirm);
        }
        let index = profile.need(0x8F)?.first().copied().unwrap_or_default();
        let today = terminal.today;
        let Some(capk) = capks.usable(rid, index, today) else {
            return Ok(CardProof::HostMustConfirm);
        };
        let pan = profile.need(0x5A)?;
        let certificate = Certificate {
            block: profile.need(0x90)?,
            remainder: profile.find(0x92).unwrap_or_default(),
            exponent: profile.need(0x9F32)?,
        };
        let revoked = |serial| capks.is_revoked(rid, index, serial);
        let issuer = oda::issuer_key(capk, certificate, pan, today, revoked);
        let issuer = issuer.map_err(CardError::NotAuthentic)?;
        let data = profile.static_data()?;
        if offers & (AIP_DDA | AIP_CDA) == 0 {
            let signed = profile.need(0x93)?;
            oda::static_data(&issuer, signed, &data).map_err(CardError::NotAuthentic)?;
            return Ok(CardProof::HostMustConfirm);
        }
        let certificate = Certificate {
            block: profile.need(0x9F46)?,
            remainder: profile.find(0x9F48).unwrap_or_default(),
            exponent: profile.need(0x9F47)?,
        };
        let icc = oda::icc_key(&issuer, certificate, &data, pan, today);
        let icc = icc.map_err(CardError::NotAuthentic)?;
        if offers & AIP_DDA == 0 {
            return self.combined(profile, &icc, terminal).await;
        }
        let list = profile.find(0x9F49).unwrap_or(&DEFAULT_LIST);
        let sent = with_random(list, terminal)?;
        let signed = self.internal_authenticate(&sent).await?;
        oda::dynamic_data(&icc, &signed, &sent).map_err(CardError::NotAuthentic)?;
        Ok(CardProof::Genuine)
    }

    /// CDA: one GENERATE AC for nothing, whose signature covers our random and all
    /// that was said (Book 2 §6.6).
    async fn combined(
        &mut self,
        profile: &Profile,
        icc: &Key,
        terminal: Terminal,
    ) -> Result<CardProof, CardError> {
        let sent = with_random(profile.need(0x8C)?, terminal)?;
        let length = u8::try_from(sent.len()).unwrap_or(u8::MAX);
        let mut apdu = vec![0x80, 0xAE, ONLINE_SIGNED, 0x00, length];
        apdu.extend_from_slice(&sent);
        apdu.push(0);
        let answer = self.send(&apdu).await?;
        if answer.sw != Sw::OK {
            let command = "generate cryptogram";
            let sw = answer.sw.0;
            return Err(CardError::Refused { command, sw });
        }
        let malformed = |source| CardError::Malformed {
            what: "cryptogram",
            source,
        };
        // Format 1 has no room for a signature: the card declined, or signs nothing.
        let unsigned = answer.data.first() == Some(&0x80);
        let template = if unsigned { 0x80 } else { 0x77 };
        let body = tlv::only(&answer.data, template).map_err(malformed)?;
        if unsigned {
            return verdict_unsigned(body.first().copied());
        }
        let fields = tlv::level(body).map_err(malformed)?;
        let information = tlv::find(&fields, 0x9F27).and_then(<[u8]>::first).copied();
        let Some(signed) = tlv::find(&fields, 0x9F4B) else {
            return verdict_unsigned(information);
        };
        let missing = CardError::NotAuthentic(OdaError::Missing(0x9F27));
        let information = information.ok_or(missing)?;
        let mut transaction = profile.given.clone();
        transaction.extend_from_slice(&sent);
        transaction.extend(without_signature(body, &fields));
        let said = Combined {
            information,
            transaction: &transaction,
        };
        let checked = oda::combined_data(icc, signed, &terminal.random, said);
        checked.map_err(CardError::NotAuthentic)?;
        Ok(CardProof::Genuine)
    }

    async fn internal_authenticate(&mut self, sent: &[u8]) -> Result<Vec<u8>, CardError> {
        let length = u8::try_from(sent.len()).unwrap_or(u8::MAX);
        let mut apdu = vec![0x00, 0x88, 0x00, 0x00, length];
        apdu.extend_from_slice(sent);
        apdu.push(0);
        let answer = self.send(&apdu).await?;
        if answer.sw != Sw::OK {
            let sw = answer.sw.0;
            return Err(CardError::Refused {
                command: "internal authenticate",
                sw,
            });
        }
        let malformed = |source| CardError::Malformed {
            what: "signature",
            source,
        };
        if answer.data.first() == Some(&0x80) {
            return Ok(tlv::only(&answer.data, 0x80).map_err(malformed)?.to_vec());
        }
        let fields = tlv::only(&answer.data, 0x77).and_then(tlv::level);
        let fields = fields.map_err(malformed)?;
        let signed = tlv::find(&fields, 0x9F4B);
        Ok(signed
            .ok_or(CardError::NotAuthentic(OdaError::Missing(0x9F4B)))?
            .to_vec())
    }
}

/// A cryptogram without a signature: a card that declines gives none, any other that
/// claims CDA must.
fn verdict_unsigned(information: Option<u8>) -> Result<CardProof, CardError> {
    match information {
        Some(kind) if kind & KIND == 0 => Ok(CardProof::HostMustConfirm),
        _ => Err(CardError::NotAuthentic(OdaError::Missing(0x9F4B))),
    }
}

/// The objects of an answer as they came, the signature left out.
fn without_signature(body: &[u8], fields: &[Tlv<'_>]) -> Vec<u8> {
    let mut rest = body;
    let mut kept = Vec::new();
    for field in fields {
        while let Some((0, after)) = rest.split_first() {
            rest = after;
        }
        let Ok((_, after)) = tlv::take(rest) else {
            break;
        };
        let length = rest.len().saturating_sub(after.len());
        if field.tag != 0x9F4B {
            kept.extend_from_slice(rest.get(..length).unwrap_or_default());
        }
        rest = after;
    }
    kept
}

/// The values of a list that are to be signed. A list without our random could be
/// replayed: refused.
fn with_random(list: &[u8], terminal: Terminal) -> Result<Vec<u8>, CardError> {
    let malformed = |source| CardError::Malformed {
        what: "dynamic data list",
        source,
    };
    if !tlv::object_list(list).map_err(malformed)?.contains(&RANDOM) {
        return Err(CardError::NotAuthentic(OdaError::NoRandom));
    }
    terminal.fill(list).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_signature_alone_is_left_out_of_what_was_said() {
        let body = [
            0x9F, 0x27, 1, 0x80, 0, 0x9F, 0x4B, 2, 7, 7, 0x9F, 0x36, 2, 0, 1,
        ];
        let fields = tlv::level(&body).unwrap();
        let said = without_signature(&body, &fields);
        // A zero between two objects is none of them.
        assert_eq!(said, [0x9F, 0x27, 1, 0x80, 0x9F, 0x36, 2, 0, 1]);
    }

    #[test]
    fn a_list_without_the_whole_random_is_refused() {
        let terminal = Terminal {
            random: [1, 2, 3, 4],
            today: date(2026, 11, 22),
        };
        let sent = with_random(&[0x9A, 3, 0x9F, 0x37, 4], terminal).unwrap();
        assert_eq!(sent, [0x26, 0x11, 0x22, 1, 2, 3, 4]);
        for list in [&[0x9A, 3][..], &[0x9F, 0x37, 3], &[]] {
            let refused = with_random(list, terminal).unwrap_err();
            assert_eq!(refused, CardError::NotAuthentic(OdaError::NoRandom));
        }
    }

    #[test]
    fn without_a_signature_only_a_declined_cryptogram_is_no_forgery() {
        let missing = CardError::NotAuthentic(OdaError::Missing(0x9F4B));
        assert_eq!(verdict_unsigned(Some(0)), Ok(CardProof::HostMustConfirm));
        assert_eq!(verdict_unsigned(Some(0x80)), Err(missing.clone()));
        assert_eq!(verdict_unsigned(None), Err(missing));
    }
}
