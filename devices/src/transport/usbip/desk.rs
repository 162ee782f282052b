//! The desk's control socket: the physical side of the twins for other processes
//! and for a human with `nc`.
//!
//! One command a line, one answer a line: `ok TEXT` or `err TEXT`. A command is a
//! desk line (`id-reader present zhang`), or `list`, `look NAME`, `look`,
//! `counters NAME`. Refuses lines longer than [`LINE_MAX`].

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::task::JoinSet;

use super::CONNECTIONS_MAX;
use super::address::{Connect, Listener};
use crate::transport::twin_bus::TwinBus;
use crate::twin::DeskError;

/// Longest command or answer in bytes.
pub const LINE_MAX: usize = 16 * 1024;

/// Longest wait for the answer to a line.
pub const SAY_WITHIN: Duration = Duration::from_secs(30);

/// Serves the desk of `bus` until the future is dropped. Must run in a `LocalSet`.
pub async fn serve(bus: TwinBus, listener: Listener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let bus = Rc::new(bus);
    loop {
        let stream = listener.next().await;
        while connections.try_join_next().is_some() {}
        if connections.len() < CONNECTIONS_MAX {
            let bus = Rc::clone(&bus);
            connections.spawn_local(async move {
                if let Err(error) = converse(&bus, stream).await {
                    tracing::debug!(%error, "a desk connection ended");
                }
            });
        }
    }
}

/// One connection, line by line.
pub(super) async fn converse<S>(bus: &TwinBus, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    while let Some(line) = read_line(&mut stream).await? {
        let answer = match command(bus, &line) {
            Ok(text) => format!("ok {}\n", one_line(&text)),
            Err(error) => format!("err {}\n", one_line(&error.0)),
        };
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// What one line asks for.
fn command(bus: &TwinBus, line: &str) -> Result<String, DeskError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let looked = |name: &str, lines: &[String]| format!("{name}: {}", lines.join("; "));
    match words.as_slice() {
        [] => Err(DeskError(
            "say list, look, counters NAME, or NAME and a verb".into(),
        )),
        ["list"] => {
            let names = bus.look().into_iter().map(|(name, _)| name);
            Ok(names.collect::<Vec<_>>().join(" "))
        }
        ["look"] => {
            let all = bus.look();
            let lines = all.iter().map(|(name, lines)| looked(name, lines));
            Ok(lines.collect::<Vec<_>>().join(" | "))
        }
        ["look", name] => {
            let all = bus.look();
            let found = all.iter().find(|(n, _)| n == name);
            let (_, lines) = found.ok_or_else(|| DeskError("no such device".into()))?;
            Ok(lines.join("; "))
        }
        ["counters", name] => {
            let counters = bus.counters(name).into_iter();
            Ok(counters
                .map(|(n, v)| format!("{n}={v}"))
                .collect::<Vec<_>>()
                .join(" "))
        }
        _ => bus.desk(line),
    }
}

/// Says one line to a desk socket and gives its answer, within [`SAY_WITHIN`].
pub async fn say<C: Connect>(connect: &C, line: &str) -> io::Result<Result<String, DeskError>> {
    tokio::time::timeout(SAY_WITHIN, said(connect, line)).await?
}

async fn said<C: Connect>(connect: &C, line: &str) -> io::Result<Result<String, DeskError>> {
    let mut stream = connect.connect().await?;
    stream
        .write_all(format!("{}\n", one_line(line)).as_bytes())
        .await?;
    let mut stream = BufReader::new(stream);
    let answer = read_line(&mut stream).await?.unwrap_or_default();
    Ok(match answer.split_once(' ').unwrap_or((&answer, "")) {
        ("ok", text) => Ok(text.to_owned()),
        (_, text) => Err(DeskError(text.to_owned())),
    })
}

/// The next line without its end; `None` at the end of the stream.
async fn read_line<S>(stream: &mut BufReader<S>) -> io::Result<Option<String>>
where
    S: AsyncRead + Unpin,
{
    let mut line = Vec::new();
    let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
    stream.take(limit).read_until(b'\n', &mut line).await?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(String::from_utf8_lossy(&line).into_owned())),
        Some(_) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the line has no end",
        )),
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
