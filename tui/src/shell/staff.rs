//! The custody terminal of one member of staff: `counterfoil-teller --role custodian`
//! or `--role supervisor`. The key is the person's own; the role only says which
//! program this is, the books say what the person may do.

use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::{self, Role};
use counterfoil_data::ids::StaffId;
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use tokio::sync::mpsc;

use super::args::{StationRole, TellerArgs};
use super::signals::Signals;
use super::tls;
use super::view::{SCREENS_MAX, View};
use super::{key_file, log_to_stderr};
use crate::custody::app::{Parts, run};
use crate::custody::model::{CustodyBody, CustodyScreen};
use crate::link::Link;
use crate::terminal::{self, keys_of_stdin};

/// Who signs here.
struct Person {
    id: StaffId,
    name: String,
    key: Secret<[u8; 32]>,
}

fn person(args: &TellerArgs) -> anyhow::Result<Person> {
    if let Some(id) = &args.demo {
        let bank = demo::bank().context("the demo bank is unusable")?;
        let row = bank.person(id);
        let row = row.with_context(|| format!("the demo bank has no member of staff {id}"))?;
        let wanted = match args.role {
            StationRole::Custodian => Role::Custodian,
            StationRole::Supervisor => Role::Supervisor,
            StationRole::Officer => Role::Officer,
        };
        anyhow::ensure!(row.role == wanted, "{id} has another role: {:?}", row.role);
        let seed = row.key_seed.as_ref();
        let seed = seed.with_context(|| format!("{id} has no key of their own"))?;
        return Ok(Person {
            id: row.id.clone(),
            name: row.name.clone(),
            key: Secret::new(seed.0),
        });
    }
    let (Some(id), Some(path)) = (&args.staff, &args.key) else {
        anyhow::bail!("say --demo STAFF, or --staff ID --key FILE");
    };
    Ok(Person {
        id: id.parse()?,
        name: String::new(),
        key: key_file::read(path)?,
    })
}

/// Runs the terminal until the person leaves.
pub(super) fn start(args: &TellerArgs) -> anyhow::Result<()> {
    let person = person(args)?;
    if tls::requested(args, &SignerId::Staff(person.id.clone()))? {
        return Ok(());
    }
    let view = View::open(args.both.models, terminal::Seat::Desk);
    let mut view = view.context("cannot take the terminal")?;
    let shown = CustodyScreen {
        language: args.both.language.into(),
        name: person.name.clone(),
        offline: false,
        notice: None,
        body: CustodyBody::Starting,
    };
    view.show(&shown)?;
    log_to_stderr(!args.both.models);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, live(args, &person, view, shown))
}

async fn live(
    args: &TellerArgs,
    person: &Person,
    mut view: View,
    mut shown: CustodyScreen,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let clock: SharedClock = Rc::new(TokioClock::system());
    let entropy: SharedEntropy = Rc::new(SystemEntropy);
    let signer = SignerId::Staff(person.id.clone());
    let identity = Rc::new(SigningIdentity::new(&signer, person.key.expose()));
    let dial = tls::dial(
        &args.both.backend,
        args.both.tls.files().as_ref(),
        Rc::clone(&clock),
    )?;
    let (at, random) = (Rc::clone(&clock), Rc::clone(&entropy));
    let link = Link::new(dial, at, random, identity, &args.both.backend);
    let (screens_to, mut screens) = mpsc::channel(SCREENS_MAX);
    let parts = Parts {
        link: Rc::new(link),
        clock,
        entropy,
        language: args.both.language.into(),
        screens: screens_to,
    };
    let desk = tokio::task::spawn_local(run(parts, keys_of_stdin(terminal::Seat::Desk)));
    let ended = view.follow(&mut shown, &mut screens, &mut signals).await;
    // What was under way may have arrived: the list says so at the next start.
    desk.abort();
    Ok(ended?)
}
