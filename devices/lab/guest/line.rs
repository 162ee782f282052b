//! Lines to the hands: a virtio port to those outside, a socket to those at the twins.

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::Context as _;

use crate::twins::HANDS;

const PORTS: &str = "/sys/class/virtio-ports";
/// The port's name, as QEMU was told.
const NAME: &str = "lab";

/// An open line. Answers come within milliseconds, so waiting blocks.
pub struct Line(RefCell<BufReader<Box<dyn Duplex>>>);

/// A byte stream both ways.
trait Duplex: Read + Write {}
impl<S: Read + Write> Duplex for S {}

impl Line {
    /// To the hands at the twins, once they are there.
    pub fn to_twins() -> anyhow::Result<Self> {
        let stream = TcpStream::connect(HANDS).context("the twins are not served")?;
        stream.set_nodelay(true)?;
        Ok(Self::over(Box::new(stream)))
    }

    fn over(stream: Box<dyn Duplex>) -> Self {
        Self(RefCell::new(BufReader::new(stream)))
    }

    /// To the hands outside: finds the port by its name.
    pub fn to_host() -> anyhow::Result<Self> {
        for port in fs::read_dir(PORTS).context("no virtio ports")? {
            let port = port?;
            let name = fs::read_to_string(port.path().join("name")).unwrap_or_default();
            if name.trim() == NAME {
                let device = format!("/dev/{}", port.file_name().display());
                let file = OpenOptions::new().read(true).write(true).open(device)?;
                return Ok(Self::over(Box::new(file)));
            }
        }
        anyhow::bail!("no virtio port is named {NAME}")
    }

    /// Says something that wants no answer.
    pub fn tell(&self, line: &str) -> anyhow::Result<()> {
        let mut stream = self.0.borrow_mut();
        Ok(stream.get_mut().write_all(format!("{line}\n").as_bytes())?)
    }

    /// Asks for an act and gives what came of it.
    pub fn ask(&self, words: &str) -> anyhow::Result<String> {
        self.tell(words)?;
        let mut answer = String::new();
        self.0.borrow_mut().read_line(&mut answer)?;
        let answer = answer.trim_end();
        let done = answer.strip_prefix("ok").map(str::trim_start);
        let done = done.map(str::to_owned);
        done.with_context(|| format!("{words}: {answer}"))
    }
}
