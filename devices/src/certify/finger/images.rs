//! Images: whole, fresh, good enough, and one finger's.

use std::time::Duration;

use counterfoil_finger::{Image, Quality, Template, extract, verify};

use super::super::{Stop, Verdict, ensure, expect};
use super::{FingerBench, LIFT, LONG, PLACE};
use crate::transport::Bus;

/// One in a thousand strangers at most: the backend's own threshold is its policy's.
const MATCHES: f32 = 3.0;
const OTHER: (&str, &str) = (
    "place li",
    "lay another finger on the sensor and keep it there",
);

/// Width, height and dots an inch.
type Size = (u16, u16, u16);

/// One touch: laid, taken, lifted.
async fn taken<B: Bus>(c: &FingerBench<B>, finger: (&str, &str)) -> Result<Image, Stop> {
    sized(c, finger).await.map(|(image, _)| image)
}

async fn sized<B: Bus>(c: &FingerBench<B>, finger: (&str, &str)) -> Result<(Image, Size), Stop> {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    c.0.act_for_now(finger, LIFT).await?;
    let until = c.0.now().saturating_add(LONG);
    ensure(sensor.wait_finger(until).await?, "it saw no finger")?;
    let began = c.0.now();
    let image = sensor.capture(|_| {}, LONG).await?;
    let took = c.0.now().saturating_sub(began);
    sensor.disarm().await?;
    c.0.put_right().await?;
    let (width, height, dpi) = (image.width, image.height, image.dpi);
    c.0.learn(
        "image",
        format!("{width}x{height}, {dpi} dpi, {} ms", took.as_millis()),
    );
    let pixels = image.pixels.expose().clone();
    let count = usize::from(width).saturating_mul(usize::from(height));
    expect("pixels", pixels.len(), count)?;
    let image = Image::new(width, height, dpi, pixels);
    let image = image.map_err(|e| Stop::Failed(e.to_string()))?;
    Ok((image, (width, height, dpi)))
}

fn template(image: &Image) -> Result<Template, Stop> {
    extract(image).map_err(|e| Stop::Failed(e.to_string()))
}

pub(super) async fn whole<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let (_, (width, height, dpi)) = sized(c, PLACE).await?;
    ensure((400..=1100).contains(&dpi), format!("{dpi} dots an inch"))?;
    Ok(format!("{width}x{height}, {dpi} dpi"))
}

pub(super) async fn contrast<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let (image, (width, ..)) = sized(c, PLACE).await?;
    let pixels = image.pixels();
    let darkest = pixels.iter().min().copied().unwrap_or(0);
    let lightest = pixels.iter().max().copied().unwrap_or(0);
    let range = lightest.saturating_sub(darkest);
    ensure(range >= 64, format!("from {darkest} to {lightest}"))?;
    // The ground around a finger is light.
    let edge: Vec<u8> = pixels.iter().take(usize::from(width)).copied().collect();
    let light = edge.iter().filter(|p| **p > 127).count();
    let half = edge.len().checked_div(2).unwrap_or(0);
    ensure(light > half, "the ground is dark: the image is inverted")?;
    Ok(format!("from {darkest} to {lightest}"))
}

pub(super) async fn quality<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let image = taken(c, PLACE).await?;
    let score = counterfoil_finger::quality(&image).score;
    ensure(score >= Quality::ACCEPT, format!("quality {score}"))?;
    Ok(format!("quality {score}"))
}

pub(super) async fn same<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let first = template(&taken(c, PLACE).await?)?;
    let second = template(&taken(c, PLACE).await?)?;
    let score = verify(&second, &[first]);
    ensure(score.reaches(MATCHES), format!("score {score:?}"))?;
    Ok(format!("{score:?}").to_lowercase())
}

pub(super) async fn fresh<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let (first, second) = (taken(c, PLACE).await?, taken(c, PLACE).await?);
    let same = first.pixels() == second.pixels();
    ensure(!same, "the second image is the first, pixel by pixel")?;
    Ok(String::new())
}

pub(super) async fn other<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let first = template(&taken(c, PLACE).await?)?;
    let second = template(&taken(c, OTHER).await?)?;
    let score = verify(&second, &[first]);
    ensure(!score.reaches(MATCHES), format!("score {score:?}"))?;
    Ok(String::new())
}

pub(super) async fn lost<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    c.0.act_for_now(OTHER, LIFT).await?;
    let until = c.0.now().saturating_add(LONG);
    ensure(sensor.wait_finger(until).await?, "it saw no finger")?;
    tokio::select! {
        _ = sensor.capture(|_| {}, LONG) => {}
        () = c.0.rest(Duration::from_millis(80)) => {}
    }
    drop(sensor);
    c.0.put_right().await?;
    let first = template(&taken(c, PLACE).await?)?;
    let second = template(&taken(c, PLACE).await?)?;
    let score = verify(&second, &[first]);
    ensure(
        score.reaches(MATCHES),
        "the image behind it is not the finger's that lies there",
    )?;
    Ok(String::new())
}
