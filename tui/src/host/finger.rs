//! The finger desk: dark unless armed, judged before it is sent (S11), sealed.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::sealed::Sealed;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::LivePrint;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::finger::{FingerError, FingerImage, FingerSensor};
use counterfoil_devices::transport::Transport;
use counterfoil_finger::{Advice, Image, quality};

use super::{After, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk, Sealing};
use crate::flow::event::Answer;
use crate::model::FingerAdvice;

/// Longest capture of one image.
const CAPTURE_WITHIN: Duration = Duration::from_secs(20);
/// Progress is told in steps of so many percent.
const PROGRESS_STEP: u8 = 10;

/// The finger sensor.
pub(super) struct FingerDesk<T: Transport> {
    sensor: FingerSensor<T>,
    tools: Rc<Tools>,
    /// No finger is taken before the sensor was seen empty: what lies there gave an
    /// image already, or may be the last customer's.
    lift: bool,
}

impl<T: Transport> FingerDesk<T> {
    /// Arms, captures, and darkens again whatever happened.
    async fn capture(&mut self, sealing: Sealing, say: &Say) -> Result<(), FingerError> {
        self.sensor.arm().await?;
        let told = self.armed(sealing, say).await;
        let dark = self.sensor.disarm().await;
        if let Some(answer) = told? {
            say.answer(answer).await;
        }
        dark
    }

    async fn armed(&mut self, sealing: Sealing, say: &Say) -> Result<Option<Answer>, FingerError> {
        while self.lift {
            if say.is_stale() {
                return Ok(None);
            }
            self.lift = !self.sensor.wait_lifted(self.tools.slice()).await?;
            if self.lift {
                say.hint(Answer::FingerLies);
            }
        }
        while !self.sensor.wait_finger(self.tools.slice()).await? {
            if say.is_stale() {
                return Ok(None);
            }
        }
        say.answer(Answer::FingerPresent).await;
        let mut next = PROGRESS_STEP;
        let progress = |percent: u8| {
            if percent >= next {
                next = percent.saturating_add(PROGRESS_STEP);
                say.hint(Answer::FingerProgress(percent));
            }
        };
        self.lift = true;
        match self.sensor.capture(progress, CAPTURE_WITHIN).await {
            Ok(image) => Ok(Some(self.judge(image, sealing))),
            Err(error) if error.is_passing() => {
                self.lift = false;
                Ok(Some(Answer::FingerPoor(FingerAdvice::KeepStill)))
            }
            Err(error) => Err(error),
        }
    }

    fn judge(&self, image: FingerImage, sealing: Sealing) -> Answer {
        let pixels = image.pixels.expose().clone();
        let Ok(seen) = Image::new(image.width, image.height, image.dpi, pixels) else {
            return Answer::Fault(Remedy::CallStaff);
        };
        let rated = quality(&seen);
        if !rated.is_acceptable() {
            return Answer::FingerPoor(advice(rated.advice));
        }
        let print = LivePrint {
            width: image.width,
            height: image.height,
            dpi: image.dpi,
            pixels: Secret::new(image.pixels.expose().clone()),
        };
        let entropy = &*self.tools.entropy;
        match Sealed::seal(&print, &sealing.key, sealing.binding, entropy) {
            Ok(print) => Answer::FingerCaptured(print),
            Err(_) => Answer::Fault(Remedy::CallStaff),
        }
    }
}

fn advice(advice: Advice) -> FingerAdvice {
    match advice {
        Advice::Good => FingerAdvice::KeepStill,
        Advice::NoFinger | Advice::TooSmall | Advice::Centre => FingerAdvice::Centre,
        Advice::PressHarder => FingerAdvice::PressHarder,
        Advice::PressLess => FingerAdvice::PressLess,
        Advice::Dry => FingerAdvice::Dry,
    }
}

impl<T: Transport> Worker<T> for FingerDesk<T> {
    const ROLE: Role = Role::Finger;
    const DESK: Desk = Desk::Finger;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let (clock, entropy) = (tools.clock.clone(), Rc::clone(&tools.entropy));
        let sensor = FingerSensor::open(transport, clock, entropy).await;
        Ok(Self {
            sensor: sensor.map_err(|error| error.to_string())?,
            tools: Rc::clone(tools),
            lift: true,
        })
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let Act::CaptureFinger(sealing) = act else {
            return After::Fine;
        };
        match self.capture(sealing, say).await {
            Ok(()) => After::Fine,
            Err(error) => {
                tracing::warn!(%error, "finger sensor fenced");
                After::Lost(error.remedy())
            }
        }
    }

    fn wipe(&mut self) {
        self.lift = true;
    }
}
