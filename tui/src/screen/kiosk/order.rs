//! What is bought, and the wait for the officer.

use counterfoil_data::locale::{Msg, rule_message};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{Offer, OrderView};

use super::{danger, only_cancel, simple};
use crate::model::{Body, OrderNotice};
use crate::screen::page::{Block, Page, Span};
use crate::screen::station::note;
use crate::screen::words::Words;
use crate::theme::Role;

/// Columns of a kind's name in the list of offers.
const KIND_CELLS: usize = 16;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::PickOrder {
            unit,
            account_masked,
            agent_masked,
            offers,
            quantities,
            focus,
            fee,
            notice,
        } => {
            let facts = vec![
                words.fact(Msg::Unit, unit),
                words.fact(Msg::Account, account_masked),
                words.fact(Msg::Agent, agent_masked),
            ];
            let mut rows: Vec<String> = offers
                .iter()
                .zip(quantities)
                .map(|(offer, quantity)| offer_row(words, offer, *quantity))
                .collect();
            rows.push(format!("[ {} ]", words.say(Msg::PickOrderSubmit)));
            Page {
                heading: words.say(Msg::PickOrderTitle),
                blocks: vec![
                    Block::Text(vec![help(words, offers)]),
                    Block::Gap,
                    Block::Facts(facts),
                    Block::Gap,
                    Block::Choices {
                        items: rows,
                        focus: *focus,
                    },
                    Block::Gap,
                    Block::Text(vec![total(words, quantities, *fee)]),
                ],
                notice: notice
                    .as_ref()
                    .and_then(|notice| danger(order_notice(words, notice))),
                hints: words.keys(&[
                    ("Enter", Msg::KeyConfirm),
                    ("<- ->", Msg::KeyChange),
                    ("Esc", Msg::KeyCancel),
                ]),
                ..Page::default()
            }
        }
        Body::AwaitConfirm { order, moved } => Page {
            notice: moved
                .then(|| danger(words.say(Msg::AwaitConfirmMoved)))
                .flatten(),
            ..await_confirm(words, order)
        },
        _ => simple(words, Msg::PickOrderTitle, Msg::PleaseWait),
    }
}

/// How to choose, or that there is nothing to choose from.
fn help(words: Words, offers: &[Offer]) -> Span {
    match offers.iter().any(|offer| offer.quantity_max > 0) {
        true => Span::plain(words.say(Msg::PickOrderHelp)),
        false => Span::of(Role::Danger, words.say(Msg::OrderNoOffers)),
    }
}

fn offer_row(words: Words, offer: &Offer, quantity: u32) -> String {
    use unicode_width::UnicodeWidthStr as _;
    let kind = words.say(offer.kind);
    let pad = " ".repeat(KIND_CELLS.saturating_sub(kind.width()));
    let most = words.with(
        Msg::QuantityMax,
        &[("max", &offer.quantity_max.to_string())],
    );
    let each = format!("{} {}", words.say(Msg::FeeEach), words.fee(offer.fee_each));
    format!("{kind}{pad}  <{quantity:>4} >  {most}  {each}")
}

fn total(words: Words, quantities: &[u32], fee: Fen) -> Span {
    let count = quantities
        .iter()
        .fold(0_u32, |sum, quantity| sum.saturating_add(*quantity));
    Span::of(
        Role::Figure,
        words.with(
            Msg::PickOrderTotal,
            &[("count", &count.to_string()), ("fee", &words.fee(fee))],
        ),
    )
}

fn order_notice(words: Words, notice: &OrderNotice) -> String {
    match notice {
        // What an order may be changed to, the rule's own words say.
        OrderNotice::Refused(rule) if rule.remedy == Remedy::ChangeOrder => {
            words.say(rule_message(&rule.rule))
        }
        OrderNotice::Refused(rule) => {
            let both = [words.say(rule_message(&rule.rule)), words.say(rule.remedy)];
            words.join(&both)
        }
        OrderNotice::Asked(question) => {
            words.with(Msg::OrderAsked, &[("question", &note(words, question))])
        }
        OrderNotice::RangeMoved => words.say(Msg::OrderRangeMoved),
        OrderNotice::NothingChosen => words.say(Msg::OrderNothing),
        OrderNotice::OtherFinger => words.say(Msg::OrderOtherFinger),
        OrderNotice::FingerPoor => words.say(Msg::OrderFingerPoor),
        OrderNotice::FingerFault => words.say(Msg::OrderFingerFault),
    }
}

fn await_confirm(words: Words, order: &OrderView) -> Page {
    let text = &order.text;
    let mut facts = words.items(&order.items);
    facts.extend(words.ranges(Msg::Numbers, &text.ranges));
    facts.push(words.figure(Msg::Fee, words.fee(text.fee)));
    facts.push(words.figure(Msg::VerificationCode, order.code.clone()));
    let printed = vec![
        words.fact(Msg::Unit, text.account_name.clone()),
        words.fact(Msg::Account, counterfoil_data::fmt::groups(&text.account)),
        words.fact(Msg::BankName, text.bank_name.clone()),
        words.fact(Msg::BankNumber, text.bank_number.clone()),
    ];
    let seen = if order.seen {
        Msg::AwaitConfirmSeen
    } else {
        Msg::AwaitConfirmHelp
    };
    Page {
        heading: words.say(Msg::AwaitConfirmTitle),
        blocks: vec![
            Block::Text(vec![Span::of(Role::Good, words.say(seen))]),
            Block::Gap,
            Block::Facts(facts),
            Block::Gap,
            Block::Text(vec![Span::plain(words.say(Msg::AwaitConfirmPrinted))]),
            Block::Facts(printed),
            Block::Gap,
            Block::Text(vec![Span::plain(
                words.with(Msg::AwaitConfirmCode, &[("code", &order.code)]),
            )]),
        ],
        hints: only_cancel(words),
        ..Page::default()
    }
}
