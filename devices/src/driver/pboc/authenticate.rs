//! Which authentication a card offers, and running it (EMV Book 3 §10.3).
//!
//! ```text
//!  profile   scheme key known   result
//!  DDA       yes                Genuine, or NotAuthentic
//!  SDA only  yes                HostMustConfirm (a copy replays it), or NotAuthentic
//!  none, CDA only, key unknown  HostMustConfirm
//! ```

use counterfoil_data::wire::sale::CardProof;

use super::capk::Capks;
use super::fields::Terminal;
use super::oda::{self, Certificate, OdaError};
use super::{CardError, Profile, Session, tlv};
use crate::driver::ccid::Sw;
use crate::transport::Transport;

/// AIP byte 1: static data authentication.
const AIP_SDA: u8 = 0x40;
/// AIP byte 1: dynamic data authentication.
const AIP_DDA: u8 = 0x20;
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
        if offers & (AIP_SDA | AIP_DDA) == 0 {
            return Ok(CardProof::HostMustConfirm);
        }
        let index = profile.need(0x8F)?.first().copied().unwrap_or_default();
        let today = terminal.today;
        let Some(capk) = capks.find(rid, index).filter(|k| k.expires >= today) else {
            return Ok(CardProof::HostMustConfirm);
        };
        let pan = profile.need(0x5A)?;
        let certificate = Certificate {
            block: profile.need(0x90)?,
            remainder: profile.find(0x92).unwrap_or_default(),
            exponent: profile.need(0x9F32)?,
        };
        let issuer = oda::issuer_key(capk, certificate, pan, today);
        let issuer = issuer.map_err(CardError::NotAuthentic)?;
        let data = profile.static_data()?;
        if offers & AIP_DDA == 0 {
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
        let sent = dynamic_list(profile, terminal)?;
        let signed = self.internal_authenticate(&sent).await?;
        oda::dynamic_data(&icc, &signed, &sent).map_err(CardError::NotAuthentic)?;
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

/// The bytes to be signed. A list without our random could be replayed: refused.
fn dynamic_list(profile: &Profile, terminal: Terminal) -> Result<Vec<u8>, CardError> {
    let list = profile.find(0x9F49).unwrap_or(&DEFAULT_LIST);
    let malformed = |source| CardError::Malformed {
        what: "dynamic data list",
        source,
    };
    if !tlv::object_list(list).map_err(malformed)?.contains(&RANDOM) {
        return Err(CardError::NotAuthentic(OdaError::NoRandom));
    }
    terminal.fill(list).map_err(malformed)
}
