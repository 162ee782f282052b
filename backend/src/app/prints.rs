//! `prints`: an agent's fingerprints (S13), with the service stopped. `enrol` puts others
//! in place of those there are, by two people and in evidence; `renew` makes all templates
//! anew from the stored images, for a release whose engine does not read the old ones.
//!
//! Owns how images are given; the core refuses. Whoever may read the bank's key file and
//! database speaks for the people named, so both belong to their owner alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::Context as _;
use counterfoil_data::ids::{AgentId, StaffId};
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::seam::{Clock as _, random};
use counterfoil_data::wire;
use counterfoil_data::wire::sale::{FingerPosition, LivePrint};
use counterfoil_finger::{IMPRESSIONS, Image, SIDE_MAX_PX};

use super::offline::{self, say};
use super::{BooksArgs, OsEntropy, SystemClock};
use crate::core::command::{Actor, Command, CommandBody};
use crate::core::query;
use crate::keys::Keys;
use crate::store::redb::RedbStore;
use crate::store::{Read, Snapshots as _};
use crate::workers::print::{self, FingerImages};
use crate::writer::{LogKey, Writer};

/// Longest image file in bytes.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// Agents looked at in one read.
const PAGE: usize = 64;

/// Which books, and what is done.
#[derive(Debug, Clone, clap::Args)]
pub struct PrintsArgs {
    #[command(flatten)]
    books: BooksArgs,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Act {
    /// Enrol every finger of an agent anew; a supervisor and an officer or teller.
    Enrol(EnrolArgs),
    /// Print the key that `counterfoil-devices finger --seal` seals impressions to.
    Key,
    /// Make templates anew that this engine does not read, from their stored images.
    Renew,
}

#[derive(Debug, Clone, clap::Args)]
struct EnrolArgs {
    /// The first person, by staff id.
    #[arg(long)]
    first: StaffId,
    /// The second person, by staff id.
    #[arg(long)]
    second: StaffId,
    /// Whose fingers.
    #[arg(long)]
    agent: AgentId,
    /// Why, in a few words; evidence has them under a salt.
    #[arg(long)]
    reason: String,
    /// Resolution of pictures in dots per inch; a sealed impression has its own.
    #[arg(long, default_value_t = 500)]
    dpi: u16,
    /// Each finger and its three impressions, as `counterfoil-devices finger` wrote them
    /// or as 8-bit greyscale PNG: right-index=A,B,C. Two fingers let the agent place large
    /// orders.
    #[arg(required = true)]
    fingers: Vec<Given>,
}

/// A finger and the files of its impressions.
#[derive(Debug, Clone)]
struct Given {
    position: FingerPosition,
    files: [PathBuf; IMPRESSIONS],
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = "say FINGER=FIRST,SECOND,THIRD, as right-index=a.print,b.print,c.print";
        let (finger, files) = text.split_once('=').ok_or(rule)?;
        let position = finger.parse::<FingerPosition>()?;
        let files: Vec<PathBuf> = files.split(',').map(PathBuf::from).collect();
        let files = files.try_into().map_err(|_| rule)?;
        Ok(Self { position, files })
    }
}

/// Does it.
pub fn act(args: &PrintsArgs) -> anyhow::Result<ExitCode> {
    match &args.act {
        Act::Enrol(given) => enrol(&args.books, given),
        Act::Key => {
            let (_, _, keys) = args.books.find()?;
            say(&wire::hex(&keys.seal.0))
        }
        Act::Renew => renew(&args.books),
    }
}

fn opened(books: &BooksArgs) -> anyhow::Result<(Writer<RedbStore>, Keys)> {
    let (db, origin, keys) = books.find()?;
    let log = LogKey {
        origin,
        key: keys.evidence.clone(),
    };
    Ok((Writer::open(offline::open(&db)?, log)?, keys))
}

/// Gives one command of now, and its refusal as an error.
pub(super) fn give(
    writer: &mut Writer<RedbStore>,
    actor: Actor,
    body: CommandBody,
) -> anyhow::Result<()> {
    let command = Command {
        at: SystemClock::start().now(),
        salt: random(&OsEntropy),
        actor,
        sequence: None,
        key: None,
        signed: None,
        body,
    };
    let answer = writer.step(vec![command])?.into_iter().next();
    answer.context("no answer")?.result?;
    Ok(())
}

fn enrol(books: &BooksArgs, given: &EnrolArgs) -> anyhow::Result<ExitCode> {
    let (mut writer, keys) = opened(books)?;
    let mut fingers = Vec::new();
    for finger in &given.fingers {
        let [first, second, third] = &finger.files;
        let image = |path| image(path, given.dpi, &keys);
        fingers.push(FingerImages {
            position: finger.position,
            images: [image(first)?, image(second)?, image(third)?],
        });
    }
    let prints =
        print::enrol(&keys, &given.agent, &fingers, &OsEntropy).context("nothing was enrolled")?;
    let body = CommandBody::EnrolPrints {
        second: Some(given.second.clone()),
        prints,
        reason: given.reason.clone(),
    };
    give(&mut writer, Actor::Staff(given.first.clone()), body)?;
    let enrolled: Vec<&str> = fingers.iter().map(|f| f.position.word()).collect();
    say(&format!(
        "enrolled: {} of {}, in place of all prints before; delete the image files",
        enrolled.join(", "),
        given.agent
    ))
}

/// What every PNG begins with.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// A sealed impression, or an 8-bit greyscale PNG.
fn image(path: &Path, dpi: u16, keys: &Keys) -> anyhow::Result<Image> {
    let name = path.display();
    let bytes = bounded(path).with_context(|| format!("{name}: cannot be read"))?;
    if !bytes.starts_with(&PNG) {
        let told = || {
            format!(
                "{name}: neither a PNG nor an impression sealed to this backend: see `prints key`"
            )
        };
        return unsealed(&bytes, keys).with_context(told);
    }
    let side = u32::from(SIDE_MAX_PX);
    let decode = || -> anyhow::Result<Image> {
        let reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info()?;
        read_pixels(reader, side, dpi)
    };
    decode().with_context(|| format!("{name}: give an 8-bit greyscale PNG of a fingerprint"))
}

fn unsealed(bytes: &[u8], keys: &Keys) -> anyhow::Result<Image> {
    let print: Sealed<LivePrint> = Sealed::from_bytes(bytes)?;
    let print = print.open(&keys.open, Binding::ENROLMENT)?;
    let pixels = print.pixels.expose().clone();
    Ok(Image::new(print.width, print.height, print.dpi, pixels)?)
}

fn read_pixels(
    mut reader: png::Reader<std::io::Cursor<&Vec<u8>>>,
    side: u32,
    dpi: u16,
) -> anyhow::Result<Image> {
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    anyhow::ensure!(
        width <= side && height <= side,
        "a side has {side} pixels at most"
    );
    let grey = info.color_type == png::ColorType::Grayscale;
    anyhow::ensure!(
        grey && info.bit_depth == png::BitDepth::Eight,
        "not 8-bit greyscale"
    );
    let size = reader.output_buffer_size().context("too large")?;
    let mut pixels = vec![0; size];
    reader.next_frame(&mut pixels)?;
    Ok(Image::new(
        u16::try_from(width)?,
        u16::try_from(height)?,
        dpi,
        pixels,
    )?)
}

fn bounded(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(FILE_MAX.saturating_add(1))
        .read_to_end(&mut bytes)?;
    anyhow::ensure!(
        u64::try_from(bytes.len())? <= FILE_MAX,
        "over {FILE_MAX} bytes"
    );
    Ok(bytes)
}

fn renew(books: &BooksArgs) -> anyhow::Result<ExitCode> {
    let (mut writer, keys) = opened(books)?;
    let (mut renewed, mut sound, mut lost) = (0_u32, 0_u32, Vec::new());
    let mut after = None;
    loop {
        let read = writer.store().snapshot()?;
        let page = query::agents(&*read, after.as_ref(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        let mut bodies = Vec::new();
        for agent in &page {
            if print::is_read(&keys, &agent.id, &agent.fingers) {
                sound = sound.saturating_add(1);
                continue;
            }
            let images = query::prints(&*read as &dyn Read, &agent.id)?;
            let image = |finger, number| images.get(&(finger, number)).cloned();
            match print::renew(&keys, &agent.id, &agent.fingers, image, &OsEntropy) {
                Ok(fingers) => bodies.push(CommandBody::RefreshTemplates {
                    agent: agent.id.clone(),
                    enrolment: agent.enrolment,
                    engine: print::engine(),
                    fingers,
                }),
                Err(error) => lost.push(format!("{}: {error}", agent.id)),
            }
        }
        drop(read);
        for body in bodies {
            give(&mut writer, Actor::System, body)?;
            renewed = renewed.saturating_add(1);
        }
    }
    let count = lost.len();
    let mut lines = lost;
    lines.push(format!(
        "renewed {renewed} agents, {sound} needed nothing, {count} must be enrolled again"
    ));
    say(&lines.join("\n"))
}
