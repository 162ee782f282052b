//! What an enrolment of prints must be, and the same prints for another engine.

use counterfoil_data::ids::AgentId;
use counterfoil_data::seam::Entropy;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::FingerPosition;
use counterfoil_finger::{EnrolError, IMPRESSIONS, Image, NoTemplate, Template, extract};

use super::engine;
use crate::core::command::{FingerPrints, Impression, Prints};
use crate::core::record::bank::EnrolledFinger;
use crate::keys::Keys;
use crate::keys::envelope::{self, EnvelopeError};

/// Bytes before the pixels of a stored image: width, height, resolution.
const HEAD_LEN: usize = 6;

/// Why impressions are not enrolled; each names what to capture again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEnrolled {
    /// No usable finger in one of them.
    #[error("impression {number} shows no usable finger, capture it again")]
    Unusable {
        /// 1 to 3.
        number: u8,
        /// What is wrong with it.
        #[source]
        why: NoTemplate,
    },
    /// They do not belong together.
    #[error(transparent)]
    Apart(#[from] EnrolError),
    /// Two fingers are one.
    #[error("{one:?} and {other:?} are the same finger: capture another one")]
    SameFinger {
        /// One.
        one: FingerPosition,
        /// The other.
        other: FingerPosition,
    },
    /// A template or image could not be encrypted.
    #[error("a template or image cannot be encrypted")]
    Envelope(#[from] EnvelopeError),
}

/// Impressions of one finger.
pub struct FingerImages {
    /// Which.
    pub position: FingerPosition,
    /// In the order of capture.
    pub images: [Image; IMPRESSIONS],
}

/// Score of two fingers at which they are the same one, wrongly so for 1 pair in 10,000.
const SAME: f32 = 4.0;

/// An agent's prints from impressions of each finger, templates and images in their
/// envelopes; all of them or none.
///
/// # Errors
/// [`NotEnrolled`] naming the impression to capture again.
pub fn enrol(
    keys: &Keys,
    agent: &AgentId,
    fingers: &[FingerImages],
    entropy: &dyn Entropy,
) -> Result<Prints, NotEnrolled> {
    let mut made: Vec<(FingerPosition, Vec<Template>)> = Vec::new();
    let mut prints = Vec::new();
    for finger in fingers {
        let templates = templates(&finger.images)?;
        for (one, earlier) in &made {
            let same = |probe| counterfoil_finger::verify(probe, earlier).reaches(SAME);
            if templates.iter().any(same) {
                let (one, other) = (*one, finger.position);
                return Err(NotEnrolled::SameFinger { one, other });
            }
        }
        let impressions = (1_u8..).zip(finger.images.iter().zip(&templates));
        let impressions = impressions.map(|(number, (image, template))| {
            let name = envelope::template_name(agent);
            let print = envelope::print_name(agent, finger.position, number);
            Ok(Impression {
                template: envelope::wrap(keys, &name, &template.to_bytes(), entropy)?,
                image: envelope::wrap(keys, &print, packed(image).expose(), entropy)?,
            })
        });
        prints.push(FingerPrints {
            position: finger.position,
            impressions: impressions.collect::<Result<_, EnvelopeError>>()?,
        });
        made.push((finger.position, templates.to_vec()));
    }
    Ok(Prints {
        agent: agent.clone(),
        engine: engine(),
        fingers: prints,
    })
}

/// Three templates of one finger (S13: what was enrolled once decides ever after).
fn templates(images: &[Image; IMPRESSIONS]) -> Result<[Template; IMPRESSIONS], NotEnrolled> {
    let [first, second, third] = images;
    let usable = |number, image| {
        let template = extract(image);
        template.map_err(|why| NotEnrolled::Unusable { number, why })
    };
    let templates = [usable(1, first)?, usable(2, second)?, usable(3, third)?];
    counterfoil_finger::enrol(&templates)?;
    Ok(templates)
}

/// Width, height, resolution, then the pixels.
fn packed(image: &Image) -> Secret<Vec<u8>> {
    let head = [image.width(), image.height(), image.dpi()];
    let mut bytes = Vec::with_capacity(image.pixels().len().saturating_add(HEAD_LEN));
    bytes.extend(head.iter().flat_map(|value| value.to_be_bytes()));
    bytes.extend_from_slice(image.pixels());
    Secret::new(bytes)
}

fn unpacked(bytes: &[u8]) -> Option<Image> {
    let (head, pixels) = bytes.split_first_chunk::<HEAD_LEN>()?;
    let [w1, w0, h1, h0, d1, d0] = *head;
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    Image::new(width, height, u16::from_be_bytes([d1, d0]), pixels.to_vec()).ok()
}

/// Why stored images give no templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrenewed {
    /// Templates were taken over without images, or an image is missing.
    #[error("impression {number} of {finger:?} has no stored image: enrol the agent again")]
    NoImage {
        /// Which finger.
        finger: FingerPosition,
        /// Which impression, from 1.
        number: u8,
    },
    /// An image does not open, or this engine finds no finger in it.
    #[error(
        "the stored image of impression {number} of {finger:?} gives no template: enrol the agent again"
    )]
    Unusable {
        /// Which finger.
        finger: FingerPosition,
        /// Which impression, from 1.
        number: u8,
    },
    /// A template could not be encrypted.
    #[error("a template cannot be encrypted")]
    Envelope(#[from] EnvelopeError),
}

/// The same fingers with templates of this engine, made from their stored images.
///
/// # Errors
/// [`Unrenewed`]: then the agent has to be enrolled again.
pub fn renew(
    keys: &Keys,
    agent: &AgentId,
    fingers: &[EnrolledFinger],
    images: impl Fn(FingerPosition, u8) -> Option<Vec<u8>>,
    entropy: &dyn Entropy,
) -> Result<Vec<EnrolledFinger>, Unrenewed> {
    let name = envelope::template_name(agent);
    let mut renewed = Vec::new();
    for finger in fingers {
        let position = finger.position;
        let mut templates = Vec::new();
        for (number, _) in (1_u8..).zip(&finger.templates) {
            let finger = position;
            let image = images(position, number).ok_or(Unrenewed::NoImage { finger, number })?;
            let print = envelope::print_name(agent, position, number);
            let plain = envelope::unwrap(keys, &print, &image).ok();
            let image = plain.and_then(|plain| unpacked(plain.expose()));
            let template = image.and_then(|image| extract(&image).ok());
            let template = template.ok_or(Unrenewed::Unusable { finger, number })?;
            templates.push(envelope::wrap(keys, &name, &template.to_bytes(), entropy)?);
        }
        renewed.push(EnrolledFinger {
            position,
            templates,
        });
    }
    Ok(renewed)
}
