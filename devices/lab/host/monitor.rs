//! QEMU's monitor (QMP): the cable of the devices that QEMU emulates.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

/// A monitor that answered.
pub struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    /// Connects and leaves the negotiation.
    pub async fn open(socket: &Path) -> anyhow::Result<Self> {
        let stream = super::connect(socket).await?;
        let mut monitor = Self {
            stream: BufReader::new(stream),
        };
        monitor.next().await?;
        monitor.ask(json!({"execute": "qmp_capabilities"})).await?;
        Ok(monitor)
    }

    /// Pulls the cable of a device.
    pub async fn pull(&mut self, id: &str) -> anyhow::Result<()> {
        let arguments = json!({ "id": id });
        self.ask(json!({"execute": "device_del", "arguments": arguments}))
            .await
    }

    /// Puts it back in, with what hangs on it.
    pub async fn plug(&mut self, devices: &[Value]) -> anyhow::Result<()> {
        for arguments in devices {
            self.ask(json!({"execute": "device_add", "arguments": arguments}))
                .await?;
        }
        Ok(())
    }

    async fn ask(&mut self, command: Value) -> anyhow::Result<()> {
        let line = format!("{command}\n");
        self.stream.get_mut().write_all(line.as_bytes()).await?;
        loop {
            let said = self.next().await?;
            if let Some(error) = said.get("error") {
                anyhow::bail!("QEMU's monitor refused {command}: {error}");
            }
            // Events come between.
            if said.get("return").is_some() {
                return Ok(());
            }
        }
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line).await?;
        anyhow::ensure!(count > 0, "QEMU's monitor is gone");
        serde_json::from_str(&line).context("QEMU's monitor said no JSON")
    }
}
