//! Rotation: data at rest that is under an older key, encrypted anew under the newest.
//!
//! Works through the books a few rows at a time and can be broken off and taken up again
//! anywhere: what is under the newest key is passed over. Called by the service in the
//! background and by `counterfoil-backend reseal`.

use counterfoil_data::seam::Entropy;
use counterfoil_data::wire::Digest;

use super::envelope::{EnvelopeError, key_id, print_name, template_name, unwrap, wrap};
use super::{FIRST_DATA_KEY, Keys, passwords};
use crate::core::command::CommandBody;
use crate::core::sealed::{self, Held, RESEALED_MAX, Resealed, SealedAt};
use crate::store::{Read, StoreError};

/// An envelope that cannot be encrypted anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} stays under key {key}", place(at))]
pub struct Stays {
    /// Where.
    pub at: SealedAt,
    /// The key it says it is under.
    pub key: u8,
    /// Why.
    #[source]
    pub why: EnvelopeError,
}

/// A place in words, without a person's name.
fn place(at: &SealedAt) -> String {
    match at {
        SealedAt::Template(agent, finger, number) => {
            format!("template {number} of the {} of {agent}", finger.word())
        }
        SealedAt::Image(agent, finger, number) => {
            format!("image {number} of the {} of {agent}", finger.word())
        }
        SealedAt::Touch(agent) => format!("the last touch of {agent}"),
        SealedAt::Password(number) => format!("the payment password of {number}"),
    }
}

fn name(at: &SealedAt) -> String {
    match at {
        SealedAt::Template(agent, ..) | SealedAt::Touch(agent) => template_name(agent),
        SealedAt::Image(agent, finger, number) => print_name(agent, *finger, *number),
        SealedAt::Password(number) => passwords::name(*number),
    }
}

/// What a few rows came to.
#[derive(Default)]
pub struct Turn {
    /// Commands that put new envelopes in the places of old ones.
    pub commands: Vec<CommandBody>,
    /// Envelopes in them.
    pub resealed: u64,
    /// Envelopes that were under the newest key already.
    pub sound: u64,
    /// Envelopes that no loaded key opens.
    pub stays: Vec<Stays>,
}

/// Whether a pass over the books is due: they ended the last one under another key. Books
/// that were never rotated are under the first.
pub fn is_due(keys: &Keys, read: &dyn Read) -> Result<bool, StoreError> {
    Ok(sealed::data_key(read)?.unwrap_or(FIRST_DATA_KEY) != keys.data_key_id())
}

/// The command that ends a pass in which nothing stayed under another key.
pub fn end(keys: &Keys) -> CommandBody {
    CommandBody::Reseal {
        key: keys.data_key_id(),
        envelopes: Vec::new(),
    }
}

/// Encrypts anew what of these is under an older key.
pub fn turn(keys: &Keys, held: Vec<Held>, entropy: &dyn Entropy) -> Turn {
    let newest = keys.data_key_id();
    let mut done = Turn::default();
    let mut due = Vec::new();
    for Held { at, envelope } in held {
        if key_id(&envelope) == Some(newest) {
            done.sound = done.sound.saturating_add(1);
            continue;
        }
        let name = name(&at);
        let plain = unwrap(keys, &name, &envelope);
        let new = plain.and_then(|plain| wrap(keys, &name, plain.expose(), entropy));
        match new {
            Ok(new) => due.push(Resealed {
                at,
                old: Digest::of(&envelope),
                envelope: new,
            }),
            Err(why) => done.stays.push(Stays {
                at,
                key: key_id(&envelope).unwrap_or(0),
                why,
            }),
        }
    }
    done.resealed = u64::try_from(due.len()).unwrap_or(u64::MAX);
    while !due.is_empty() {
        let rest = due.split_off(due.len().min(RESEALED_MAX));
        done.commands.push(CommandBody::Reseal {
            key: newest,
            envelopes: std::mem::replace(&mut due, rest),
        });
    }
    done
}
