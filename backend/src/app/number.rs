//! `number`: where one form is and all that was ever recorded of it, with what people
//! said, which evidence has only under its salt. For an auditor at the books.

use std::process::ExitCode;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::leaf::{Field, Leaf};
use counterfoil_data::wire::hex;

use super::BooksArgs;
use super::offline::{self, say};
use crate::core::custody;
use crate::evidence;
use crate::store::{Read, Snapshots as _};

/// Which form of which books.
#[derive(Debug, Clone, clap::Args)]
pub struct NumberArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// The form, 16 digits.
    number: BillNumber,
}

/// Prints its place and its timeline, oldest first.
pub fn print(args: &NumberArgs) -> anyhow::Result<ExitCode> {
    let (db, _, _) = args.books.find()?;
    let store = offline::open(&db)?;
    let read = store.snapshot()?;
    let number = args.number;
    let place = custody::find(&*read, number)?;
    let Some((_, place)) = place else {
        anyhow::bail!("{number} never came into these books: compare it with the paper");
    };
    let mut lines = vec![format!("{number} is {:?}", place.state())];
    for (index, leaf) in evidence::timeline(&*read, number)? {
        lines.push(step(&*read, index, &leaf)?);
    }
    say(&lines.join("\n"))
}

fn step(read: &dyn Read, index: u64, leaf: &Leaf) -> anyhow::Result<String> {
    let facts = leaf.fields.iter().filter_map(fact).collect::<Vec<_>>();
    let words = evidence::words(read, index)?;
    let said = words.map(|words| format!("\n          said: {words}"));
    let (at, what) = (leaf.at, leaf.kind.word());
    let facts = facts.join(", ");
    let signed = leaf.signature().map(|signed| match signed {
        Ok(signed) => format!("\n          signed with the key {}", hex(&signed.key)),
        Err(fault) => format!("\n          NOT SOUND: its signature: {fault}"),
    });
    let (said, signed) = (said.unwrap_or_default(), signed.unwrap_or_default());
    Ok(format!("{index:>8}  {at}  {what}  {facts}{said}{signed}"))
}

/// A fact for people; hashes say nothing to them.
fn fact(field: &Field) -> Option<String> {
    Some(match field {
        Field::Actor(who) | Field::Second(who) | Field::Subject(who) => who.clone(),
        Field::Sale(sale) => format!("sale {sale}"),
        Field::Kiosk(kiosk) => format!("at {kiosk}"),
        Field::Slot(slot) => slot.clone(),
        Field::Read(read) => format!("read {read}"),
        Field::Reason(text) | Field::State(text) => text.clone(),
        Field::SupplementOf(number) => format!("in place of {number}"),
        Field::Requisition(text) => text.clone(),
        Field::Ink(true) => "ink may be on it".to_owned(),
        Field::Ink(false) => "no ink on it".to_owned(),
        _ => return None,
    })
}
