//! Finger sensors: a module behind QEMU's FTDI bridge, twins behind CP210x and CH340,
//! and a U.are.U reader.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::wire::hex;
use counterfoil_devices::driver::ef01::Ef01Error;
use counterfoil_devices::driver::finger::{FingerError, FingerImage, FingerSensor};
use counterfoil_devices::driver::uru4000::Uru4000Error;
use counterfoil_devices::system::SystemEntropy;
use counterfoil_devices::transport::UsbError;
use counterfoil_devices::transport::rusb_bus::RusbTransport;
use sha1::{Digest as _, Sha1};

use super::{Bench, Ids, Work, sample};

/// Of QEMU's bridge.
pub const FTDI: Ids = (0x0403, 0x6001);
const WITHIN: Duration = Duration::from_secs(40);
const FINGER: &str = "zhang";
const SEED: u64 = 42;
const EXACT: &str = "image, bit by bit";
const UNPLUG: &str = "unplugged during the image";
const BACK: &str = "plugged back: image";

/// A sensor and what hands do there.
struct Site {
    name: &'static str,
    ids: Ids,
    /// A twin, or the module behind QEMU's bridge.
    twin: bool,
    /// Arms the pull of its cable.
    pull: &'static str,
    /// Whether its pixels arrive as they were, four bits each.
    exact: bool,
}

const QEMU: Site = Site {
    name: "finger-ftdi",
    ids: FTDI,
    twin: false,
    pull: "sensor pull after 18000",
    exact: true,
};

const TWINS: [Site; 3] = [
    Site {
        name: "finger-cp210x",
        ids: (0x10C4, 0xEA60),
        twin: true,
        pull: "when finger-cp210x uploads 500 finger-cp210x unplug",
        exact: true,
    },
    Site {
        name: "finger-ch340",
        ids: (0x1A86, 0x7523),
        twin: true,
        pull: "when finger-ch340 uploads 500 finger-ch340 unplug",
        exact: true,
    },
    Site {
        name: "finger-uru4500",
        ids: (0x05BA, 0x000A),
        twin: true,
        pull: "when finger-uru4500 images 30 finger-uru4500 unplug",
        exact: false,
    },
];

/// The bridge of QEMU.
pub async fn check_ftdi(bench: &Bench) -> anyhow::Result<()> {
    check(bench, &QEMU).await
}

/// The others.
pub async fn check_twins(bench: &Bench) -> anyhow::Result<()> {
    for site in &TWINS {
        check(bench, site).await?;
    }
    Ok(())
}

async fn check(bench: &Bench, site: &Site) -> anyhow::Result<()> {
    let first = if site.exact { EXACT } else { "image" };
    bench.check(site.name, first, image(bench, site)).await?;
    bench.check(site.name, UNPLUG, unplug(bench, site)).await?;
    bench.check(site.name, BACK, plug_back(bench, site)).await
}

/// A word to whoever stands there.
fn hands(bench: &Bench, site: &Site, words: &str) -> anyhow::Result<String> {
    if site.twin {
        bench.twin(words)
    } else {
        bench.act(words)
    }
}

/// A line of the sensor's desk.
fn desk(bench: &Bench, site: &Site, line: &str) -> anyhow::Result<String> {
    if site.twin {
        bench.twin(&format!("twin {} {line}", site.name))
    } else {
        bench.act(&format!("sensor {line}"))
    }
}

/// Opens, arms and waits until the finger lies there.
async fn touched(bench: &Bench, site: &Site) -> anyhow::Result<FingerSensor<RusbTransport>> {
    let usb = bench.open(site.ids).await?;
    let entropy = Rc::new(SystemEntropy);
    let mut sensor = FingerSensor::open(usb, bench.clock.clone(), entropy).await?;
    sensor.arm().await?;
    desk(bench, site, &format!("place {FINGER} seed {SEED}"))?;
    let deadline = bench.clock.monotonic().saturating_add(WITHIN);
    anyhow::ensure!(sensor.wait_finger(deadline).await?, "no finger was seen");
    Ok(sensor)
}

async fn image(bench: &Bench, site: &Site) -> Work {
    let mut sensor = touched(bench, site).await?;
    let image = sensor.capture(|_| {}, WITHIN).await?;
    let same = same(bench, site, &image)?;
    desk(bench, site, "lift")?;
    let deadline = bench.clock.monotonic().saturating_add(WITHIN);
    anyhow::ensure!(sensor.wait_lifted(deadline).await?, "it was not seen to go");
    sensor.disarm().await?;
    Ok(same)
}

/// Whether the image is of the finger that lay there.
fn same(bench: &Bench, site: &Site, image: &FingerImage) -> Work {
    let size = format!("{} x {}", image.width, image.height);
    let pixels = image.pixels.expose();
    if site.exact {
        let there = bench.act(&format!("picture {FINGER} {SEED}"))?;
        let here = hex(&Sha1::digest(sample::four_bits(pixels)));
        anyhow::ensure!(here == there, "{size}, another picture than lay there");
        return Ok(format!("{size}, as it lay there"));
    }
    let (width, height, dpi) = (image.width, image.height, image.dpi);
    let image = counterfoil_finger::Image::new(width, height, dpi, pixels.clone())?;
    let template = counterfoil_finger::extract(&image)?;
    drop(template);
    Ok(format!("{size}, with a template in it"))
}

async fn unplug(bench: &Bench, site: &Site) -> Work {
    let mut sensor = touched(bench, site).await?;
    hands(bench, site, site.pull)?;
    let mut seen = 0;
    match sensor.capture(|percent| seen = percent, WITHIN).await {
        Err(
            FingerError::Ef01(Ef01Error::Usb(UsbError::NoDevice))
            | FingerError::Uru4000(Uru4000Error::Usb(UsbError::NoDevice)),
        ) => {
            let since = bench.since_pull(hands(bench, site, "since"))?;
            Ok(format!("{since}, at {seen} %"))
        }
        Ok(_) => anyhow::bail!("an image came of it"),
        Err(error) => anyhow::bail!("it came to {error:?}"),
    }
}

async fn plug_back(bench: &Bench, site: &Site) -> Work {
    desk(bench, site, "lift")?;
    if site.twin {
        bench.twin_back(site.name, site.ids).await?;
    } else {
        bench.lost(site.ids).await?;
        bench.act("sensor back")?;
    }
    image(bench, site).await
}
