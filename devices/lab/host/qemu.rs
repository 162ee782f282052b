//! The virtual computer: emulated without KVM, with a CCID reader and an FTDI bridge on
//! its USB and a virtio port for the script. It has no network.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

/// A running QEMU; it ends with this.
pub struct Qemu(Child);

impl Qemu {
    /// Starts it, its console in `folder/log`, its sockets beside.
    pub fn start(folder: &Path, kernel: &Path, initrd: &Path) -> anyhow::Result<Self> {
        let log = File::create(folder.join("log"))?;
        let socket = |id: &str| -> anyhow::Result<String> {
            let path = folder.join(id);
            let path = path.to_str().context("a folder with a plain name")?;
            Ok(format!("path={path},server=on,wait=off"))
        };
        let chardev = |id| Ok::<_, anyhow::Error>(format!("socket,id={id},{}", socket(id)?));
        for id in ["card", "sensor", "guest", "monitor"] {
            // Of a run before.
            std::fs::remove_file(folder.join(id)).ok();
        }
        // /dev/kvm may exist and hang: software emulation always works.
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35"])
            .args(["-m", "512", "-smp", "1", "-display", "none", "-nodefaults"])
            .args(["-no-reboot", "-serial", "stdio"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(initrd)
            .args(["-append", "console=ttyS0 quiet"])
            .args([
                "-qmp",
                &format!("unix:{}", socket("monitor")?.replace("path=", "")),
            ])
            .args([
                "-device",
                "virtio-serial-pci",
                "-chardev",
                &chardev("guest")?,
            ])
            .args(["-device", "virtserialport,chardev=guest,name=lab"])
            .args(["-device", "qemu-xhci,id=xhci"])
            .args([
                "-chardev",
                &chardev("card")?,
                "-chardev",
                &chardev("sensor")?,
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command.args(["-device", "usb-serial,id=sensor,chardev=sensor,bus=xhci.0"]);
        for device in reader() {
            command.args(["-device", &device.to_string()]);
        }
        let child = command
            .spawn()
            .context("qemu-system-x86_64 does not start")?;
        Ok(Self(child))
    }

    /// Ends it.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have powered itself off.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        self.end();
    }
}

/// The CCID reader, and the card that the vscard protocol gives it.
pub fn reader() -> Vec<Value> {
    vec![
        json!({"driver": "usb-ccid", "id": "card", "bus": "xhci.0"}),
        json!({"driver": "ccid-card-passthru", "chardev": "card", "bus": "card.0"}),
    ]
}
