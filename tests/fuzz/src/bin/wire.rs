//! Every JSON body of `/v1`: what is read is written in one form that reads back the
//! same, and what two people approve by digest is bound to every word of it.
#![no_main]

use counterfoil_data::sealed::{Binding, Challenge, OpenKey, Sealable, Sealed, SecretText};
use counterfoil_data::seam::Entropy;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::custody::{Act, Approve, CustodyView, Propose};
use counterfoil_data::wire::forms::{FormAdvices, FormsAnswer};
use counterfoil_data::wire::sale::{Abandon, Nothing, OpenSale, Order, SaleView, VerificationInfo};
use counterfoil_data::wire::sale::{DocumentFields, IdentityHead, KioskView, LivePrint, Receipt};
use counterfoil_data::wire::{confirm, problem::Problem};
use counterfoil_fuzz::{Bytes, json, json_eq};

fn act(act: &Act, written: &str) {
    assert!(written.contains(&format!("\"act\":\"{}\"", act.word())));
    let blind = act.blind();
    assert_eq!(blind.digest(), act.digest(), "the digest tells no count");
    assert_eq!(blind.blind(), blind);
    assert_eq!(act.count().is_some(), blind.count().is_some());
    assert_eq!((act.range(), act.seen()), (blind.range(), blind.seen()));
    if let Some(range) = act.range() {
        assert!(range.first() <= range.last());
    }
}

fn custody(text: &str) {
    json_eq::<Approve>(text);
    json_eq::<CustodyView>(text);
    if let Some(propose) = json_eq::<Propose>(text) {
        let written = serde_json::to_string(&propose).expect("writes");
        act(&propose.act, &written);
    }
    // Two acts, one a line: one digest only where they differ in nothing but a count.
    let Some((one, two)) = text.split_once('\n') else {
        return;
    };
    if let (Some(one), Some(two)) = (json_eq::<Act>(one), json_eq::<Act>(two)) {
        assert_eq!(one.digest() == two.digest(), one.blind() == two.blind());
    }
}

fn sale(text: &str) {
    json_eq::<OpenSale>(text);
    json_eq::<Order>(text);
    json_eq::<Nothing>(text);
    json_eq::<Abandon>(text);
    json_eq::<SaleView>(text);
    json_eq::<KioskView>(text);
    json_eq::<FormAdvices>(text);
    json_eq::<FormsAnswer>(text);
    json_eq::<Receipt>(text);
    json_eq::<Problem>(text);
    json::<VerificationInfo>(text);
    json::<IdentityHead>(text);
    json_eq::<confirm::ConfirmationView>(text);
    json_eq::<confirm::Decision>(text);
    json_eq::<confirm::Notice>(text);
    if let Some(shown) = json_eq::<confirm::ConfirmText>(text) {
        assert_eq!(confirm::code(&shown.digest()).len(), 6);
        let other = confirm::ConfirmText {
            count: shown.count ^ 1,
            ..shown.clone()
        };
        assert_ne!(other.digest(), shown.digest());
    }
}

/// Two texts under one digest must be one text.
fn one_digest(from: &mut Bytes<'_>) {
    let mut text = || confirm::ConfirmText {
        account_name: from.words(),
        account: from.words(),
        bank_name: from.words(),
        bank_number: from.words(),
        agent_masked: from.words(),
        ranges: Vec::new(),
        count: u32::from(from.byte()),
        fee: counterfoil_data::money::Fen(i64::from(from.byte())),
    };
    let (one, two) = (text(), text());
    assert_eq!(
        one.digest() == two.digest(),
        one == two,
        "a digest binds every field"
    );
}

struct Fixed;
impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(11);
    }
}

/// What is inside a sealed value has one form, too.
fn plain<T: Sealable>(bytes: &[u8]) {
    if let Some(value) = T::from_plain(bytes) {
        assert_eq!(value.to_plain().expose(), bytes, "one form of {}", T::LABEL);
    }
}

fn sealed(from: &mut Bytes<'_>) {
    let (open, seal) = OpenKey::derive(&[9; 32]);
    let challenge = Challenge(from.array());
    let binding = Binding {
        sale: counterfoil_data::ids::SaleId(7),
        challenge,
    };
    let secret = SecretText(Secret::new(from.words()));
    let sealed = Sealed::seal(&secret, &seal, binding, &Fixed).expect("seals");
    let opened = sealed.open(&open, binding).expect("opens");
    assert_eq!(opened.0.expose(), secret.0.expose());
    let mut bytes = sealed.to_bytes();
    let at = usize::from(from.byte()) % bytes.len();
    bytes[at] ^= from.byte();
    if bytes != sealed.to_bytes() {
        let bent = Sealed::<SecretText>::from_bytes(&bytes).expect("right shape");
        assert!(bent.open(&open, binding).is_err(), "altered");
    }
    if let Ok(free) = Sealed::<SecretText>::from_bytes(from.0) {
        assert_eq!(free.to_bytes(), from.0);
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(text) = counterfoil_fuzz::text(data) {
        custody(text);
        sale(text);
    }
    plain::<DocumentFields>(data);
    plain::<LivePrint>(data);
    plain::<SecretText>(data);
    let mut from = Bytes(data);
    match from.byte() {
        0 => sealed(&mut from),
        1 => one_digest(&mut from),
        _ => {}
    }
});
