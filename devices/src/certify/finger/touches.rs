//! Fingers coming and going, and the light.

use std::time::Duration;

use super::super::{Verdict, ensure};
use super::{FingerBench, LIFT, LONG, PLACE};
use crate::transport::Bus;

const SOON: Duration = Duration::from_secs(2);

pub(super) async fn opens<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    let hello = sensor.hello();
    sensor.disarm().await?;
    c.0.learn("hello", hello);
    Ok(hello.into())
}

pub(super) async fn five_times<B: Bus>(c: &FingerBench<B>) -> Verdict {
    for _ in 0..5 {
        drop(c.open().await?);
    }
    Ok(String::new())
}

pub(super) async fn dark<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    let image = sensor.capture(|_| {}, LONG).await;
    ensure(image.is_err(), "it gave an image")?;
    sensor.disarm().await?;
    let looks = c.0.hands.look(&c.0.path).await?;
    let lit = looks.is_some_and(|look| look.contains(", lit"));
    ensure(!lit, "its light burns")?;
    let seen = c.0.hands.sees("is the sensor dark?").await?;
    ensure(seen != Some(false), "its light burns")?;
    Ok(String::new())
}

pub(super) async fn nobody<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    let began = c.0.now();
    let came = sensor.wait_finger(began.saturating_add(SOON)).await?;
    let took = c.0.now().saturating_sub(began);
    sensor.disarm().await?;
    ensure(!came, "it saw a finger")?;
    ensure(
        took < Duration::from_secs(5),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(String::new())
}

pub(super) async fn nothing<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    let image = sensor.capture(|_| {}, LONG).await;
    sensor.disarm().await?;
    ensure(image.is_err(), "it gave an image of nothing")?;
    Ok(String::new())
}

pub(super) async fn light<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    for _ in 0..10 {
        sensor.arm().await?;
        sensor.disarm().await?;
    }
    Ok(String::new())
}

pub(super) async fn seen<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    c.0.act_for_now(PLACE, LIFT).await?;
    let began = c.0.now();
    let came = sensor.wait_finger(began.saturating_add(LONG)).await?;
    let took = c.0.now().saturating_sub(began);
    sensor.disarm().await?;
    ensure(came, "it saw none")?;
    ensure(took <= SOON, format!("after {} ms", took.as_millis()))?;
    Ok(format!("{} ms", took.as_millis()))
}

pub(super) async fn stays<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    c.0.act_for_now(PLACE, LIFT).await?;
    let until = c.0.now().saturating_add(LONG);
    ensure(sensor.wait_finger(until).await?, "it saw none")?;
    let lifted = sensor.wait_lifted(c.0.now().saturating_add(SOON)).await?;
    sensor.disarm().await?;
    ensure(!lifted, "it missed a finger that lies there")?;
    Ok(String::new())
}

pub(super) async fn lifted<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    c.0.act_for_now(PLACE, LIFT).await?;
    let until = c.0.now().saturating_add(LONG);
    ensure(sensor.wait_finger(until).await?, "it saw none")?;
    c.0.put_right().await?;
    let began = c.0.now();
    let lifted = sensor.wait_lifted(began.saturating_add(LONG)).await?;
    let took = c.0.now().saturating_sub(began);
    sensor.disarm().await?;
    ensure(lifted, "it saw a finger that is gone")?;
    ensure(took <= SOON, format!("after {} ms", took.as_millis()))?;
    Ok(format!("{} ms", took.as_millis()))
}

pub(super) async fn cable<B: Bus>(c: &FingerBench<B>) -> Verdict {
    let mut sensor = c.open().await?;
    sensor.arm().await?;
    let began = c.0.now();
    let waiting = sensor.wait_finger(began.saturating_add(LONG));
    let words = "pull its usb cable";
    let came =
        c.0.during(waiting, Duration::from_secs(1), "unplug", words)
            .await?;
    let took = c.0.now().saturating_sub(began);
    drop(sensor);
    c.0.act("replug", "put its usb cable back in").await?;
    c.0.comes_back().await?;
    ensure(came.is_err(), format!("the wait: {came:?}"))?;
    ensure(took < LONG, "it ended only at its deadline")?;
    Ok(String::new())
}
