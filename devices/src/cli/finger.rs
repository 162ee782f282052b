//! `finger`: three impressions of one finger for an enrolment, each judged at once and
//! all held against each other before they are kept.
//!
//! Owns what a clerk is told. Files are sealed to the backend's key (`counterfoil-backend
//! prints key`), so that no print lies about in clear (I7); without a key they are plain
//! pictures, and that is said. The backend's `prints enrol` takes both.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use counterfoil_data::sealed::{Binding, SealKey, Sealed};
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire;
use counterfoil_data::wire::sale::{FingerPosition, LivePrint};
use counterfoil_finger::{
    Advice, EnrolError, IMPRESSIONS, Image, Template, enrol, extract, quality,
};

use super::say;
use crate::driver::finger::{FingerImage, FingerSensor};
use crate::driver::{Role, role_of};
use crate::transport::usbip::Address;
use crate::transport::{Bus, Transport};

/// A finger that does not come.
const COMES_WITHIN: Duration = Duration::from_secs(120);
/// One look at the sensor.
const LOOK: Duration = Duration::from_secs(1);
/// One image.
const CAPTURE_WITHIN: Duration = Duration::from_secs(20);
/// Images taken for three impressions at most.
const TRIES_MAX: u32 = 15;

/// Whose finger, and where the impressions go.
#[derive(Debug, Args)]
pub(super) struct Capture {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    pub usbip: Option<Address>,
    /// Which finger: right- or left-, then thumb, index, middle, ring or little.
    #[arg(value_name = "FINGER")]
    finger: FingerPosition,
    /// Folder for FINGER-1 to FINGER-3.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The backend's public sealing key, 64 hex digits; without it the files are pictures.
    #[arg(long, value_name = "KEY", value_parser = seal_key)]
    seal: Option<[u8; 32]>,
}

fn seal_key(text: &str) -> Result<[u8; 32], String> {
    let bytes = wire::unhex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "64 hex digits, as `counterfoil-backend prints key` prints them".to_owned())
}

/// An impression that may be kept.
struct Taken {
    image: FingerImage,
    template: Template,
}

/// Takes three impressions and writes them.
pub(super) async fn capture<B: Bus>(
    bus: &B,
    clock: &SharedClock,
    entropy: &SharedEntropy,
    what: &Capture,
) -> anyhow::Result<()> {
    let devices = bus.list().await?;
    let found = devices.iter().find(|d| role_of(d) == Some(Role::Finger));
    let found = found.context("no finger sensor is plugged in: see `list` for what is there")?;
    let usb = bus.open(&found.path).await?;
    let mut sensor = FingerSensor::open(usb, clock.clone(), entropy.clone()).await?;
    sensor.arm().await?;
    let taken = three(&mut sensor).await;
    sensor.disarm().await?;
    let taken = taken?;
    for (number, impression) in (1_u8..).zip(&taken) {
        let path = write(what, number, &impression.image, entropy)?;
        say(&format!("kept {}", path.display()))?;
    }
    if what.seal.is_none() {
        say("these are plain pictures of a finger: delete them as soon as they are enrolled")?;
    }
    Ok(())
}

async fn three<T: Transport>(sensor: &mut FingerSensor<T>) -> anyhow::Result<[Taken; IMPRESSIONS]> {
    let mut taken: Vec<Taken> = Vec::new();
    let mut tries = 0_u32;
    while tries < TRIES_MAX {
        tries = tries.saturating_add(1);
        let next = taken.len().saturating_add(1);
        say(&format!(
            "impression {next} of {IMPRESSIONS}: lay the finger on the sensor"
        ))?;
        let image = one(sensor).await?;
        match judged(image) {
            Ok(impression) => taken.push(impression),
            Err(advice) => {
                say(&format!("not kept: {advice}"))?;
                continue;
            }
        }
        let three = match <[Taken; IMPRESSIONS]>::try_from(taken) {
            Ok(three) => three,
            Err(fewer) => {
                taken = fewer;
                continue;
            }
        };
        let [a, b, c] = &three;
        let templates = [&a.template, &b.template, &c.template].map(Template::clone);
        match enrol(&templates) {
            Ok(()) => return Ok(three),
            Err(error) => {
                say(&format!("not kept: {error}"))?;
                let again = again(error);
                let others = (1_u8..).zip(three).filter(|(number, _)| *number != again);
                taken = others.map(|(_, impression)| impression).collect();
            }
        }
    }
    anyhow::bail!(
        "{TRIES_MAX} images gave no enrolment: clean sensor and finger, or take another finger"
    )
}

/// One image: the finger comes, is taken, and goes.
async fn one<T: Transport>(sensor: &mut FingerSensor<T>) -> anyhow::Result<FingerImage> {
    let mut waited = Duration::ZERO;
    while !sensor.wait_finger(LOOK).await? {
        waited = waited.saturating_add(LOOK);
        anyhow::ensure!(waited < COMES_WITHIN, "nobody laid a finger on the sensor");
    }
    let image = sensor.capture(|_| {}, CAPTURE_WITHIN).await?;
    say("lift the finger")?;
    let mut waited = Duration::ZERO;
    while !sensor.wait_lifted(LOOK).await? {
        waited = waited.saturating_add(LOOK);
        anyhow::ensure!(waited < COMES_WITHIN, "the finger was not lifted");
    }
    Ok(image)
}

/// An impression that is good enough, or what to do better.
fn judged(image: FingerImage) -> Result<Taken, &'static str> {
    let pixels = image.pixels.expose().clone();
    let seen = Image::new(image.width, image.height, image.dpi, pixels);
    let seen = seen.map_err(|_| "the sensor's image has no lawful size")?;
    let rated = quality(&seen);
    if !rated.is_acceptable() {
        return Err(words(rated.advice));
    }
    let template = extract(&seen).map_err(|_| "too little of the finger is to be seen")?;
    Ok(Taken { image, template })
}

fn words(advice: Advice) -> &'static str {
    match advice {
        Advice::Good => "keep the finger still",
        Advice::NoFinger => "no finger is to be seen, lay it on the middle",
        Advice::TooSmall => "lay more of the finger on the sensor",
        Advice::Centre => "lay the finger on the middle",
        Advice::PressHarder => "press harder",
        Advice::PressLess => "press less",
        Advice::Dry => "the finger is wet: dry it",
    }
}

/// Which impression to take again: of two that do not agree, the later one.
fn again(error: EnrolError) -> u8 {
    match error {
        EnrolError::AnotherFinger { number } => number,
        EnrolError::SameTouch { second, .. } | EnrolError::LittleInCommon { second, .. } => second,
    }
}

/// Its owner's alone, and never in place of another file.
fn write(
    what: &Capture,
    number: u8,
    image: &FingerImage,
    entropy: &SharedEntropy,
) -> anyhow::Result<PathBuf> {
    let (bytes, ending) = match &what.seal {
        Some(key) => (sealed(image, key, entropy)?, "print"),
        None => (picture(image)?, "png"),
    };
    let name = format!("{}-{number}.{ending}", what.finger.word());
    let path = what.folder.join(name);
    let told = || format!("{} cannot be written", path.display());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(told)?;
    file.write_all(&bytes).with_context(told)?;
    Ok(path)
}

/// Sealed to the backend, bound to no sale.
fn sealed(image: &FingerImage, key: &[u8; 32], entropy: &SharedEntropy) -> anyhow::Result<Vec<u8>> {
    let print = LivePrint {
        width: image.width,
        height: image.height,
        dpi: image.dpi,
        pixels: Secret::new(image.pixels.expose().clone()),
    };
    let sealed = Sealed::seal(&print, &SealKey(*key), Binding::ENROLMENT, &**entropy)?;
    Ok(sealed.to_bytes())
}

fn picture(image: &FingerImage) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = (u32::from(image.width), u32::from(image.height));
    let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(image.pixels.expose())?;
    writer.finish()?;
    Ok(bytes)
}
