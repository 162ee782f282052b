//! The finger module behind QEMU's FTDI bridge: a bare line over a socket.
//!
//! The bridge is on the bus while the line is connected, so the line is its cable. (QEMU
//! 7.2 may crash when the bridge itself is deleted while its line brings bytes.)

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_devices::twin::finger_module::{FingerSpec, LooseModule};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// The line's name in QEMU, and its socket.
pub const LINE: &str = "sensor";
/// An answer this long is an image.
const IMAGE: usize = 1000;
/// Bytes of an image travel so long before the cable is pulled.
const ON_THE_WAY: Duration = Duration::from_millis(50);

/// The module at its end of the line.
pub struct Sensor {
    module: LooseModule,
    socket: PathBuf,
    heard: mpsc::Sender<Vec<u8>>,
    to: Option<OwnedWriteHalf>,
    /// The cable is pulled after so many bytes of an image.
    cut: Option<usize>,
}

impl Sensor {
    /// Takes the line; bytes of the guest come over the channel.
    pub async fn open(
        folder: &Path,
        bank: &DemoBank,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Vec<u8>>)> {
        let (heard, bytes) = mpsc::channel(16);
        let mut sensor = Self {
            module: LooseModule::new(FingerSpec::demo(bank)),
            socket: folder.join(LINE),
            heard,
            to: None,
            cut: None,
        };
        sensor.plug().await?;
        Ok((sensor, bytes))
    }

    /// The cable goes in.
    async fn plug(&mut self) -> anyhow::Result<()> {
        let (from, to) = super::connect(&self.socket).await?.into_split();
        self.to = Some(to);
        let heard = self.heard.clone();
        tokio::task::spawn_local(async move {
            // Ends with the line.
            listen(from, heard).await.ok();
        });
        Ok(())
    }

    /// The cable comes out: QEMU sees the end of the line.
    pub fn pull(&mut self) {
        self.to = None;
    }

    /// Bytes of the guest; whether the cable is to be pulled now.
    pub async fn heard(&mut self, bytes: &[u8]) -> anyhow::Result<bool> {
        for (after, answer) in self.module.heard(bytes) {
            tokio::time::sleep(after).await;
            let Some(to) = &mut self.to else {
                return Ok(false);
            };
            if answer.len() >= IMAGE
                && let Some(count) = self.cut.take()
            {
                to.write_all(answer.get(..count).unwrap_or(&answer)).await?;
                tokio::time::sleep(ON_THE_WAY).await;
                return Ok(true);
            }
            to.write_all(&answer).await?;
        }
        Ok(false)
    }

    /// One act of the guest's script.
    pub async fn act(&mut self, words: &[&str]) -> anyhow::Result<String> {
        match words {
            ["pull", "after", count] => {
                self.cut = Some(count.parse().context("a number of bytes")?);
                Ok("armed".into())
            }
            ["back"] => {
                self.plug().await?;
                Ok("plugged in".into())
            }
            _ => Ok(self.module.desk(&words.join(" "))?),
        }
    }
}

async fn listen(mut from: OwnedReadHalf, heard: mpsc::Sender<Vec<u8>>) -> anyhow::Result<()> {
    let mut buffer = [0; 512];
    loop {
        let count = from.read(&mut buffer).await?;
        anyhow::ensure!(count > 0, "the line is gone");
        let bytes = buffer.iter().take(count).copied();
        heard.send(bytes.collect()).await?;
    }
}
