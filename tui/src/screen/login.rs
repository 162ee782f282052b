//! The login page, which is the lock screen.

use counterfoil_data::locale::Msg;

use super::page::{Block, Page, Span};
use super::words::Words;
use crate::login::{Field, LoginNotice, LoginPage};
use crate::theme::Role;

/// Stars shown of one secret at most.
const STARS_MAX: usize = 40;

/// The page; its title is the terminal's to say.
pub fn page(words: Words, shown: &LoginPage) -> Page {
    let [password, new, again] = shown.letters;
    let mut facts = vec![
        fact(words, shown, Field::Id, Msg::LoginId, shown.id.clone()),
        fact(
            words,
            shown,
            Field::Password,
            Msg::LoginPassword,
            stars(password),
        ),
    ];
    if shown.must_change {
        facts.extend([
            fact(words, shown, Field::New, Msg::LoginNew, stars(new)),
            fact(words, shown, Field::Again, Msg::LoginAgain, stars(again)),
        ]);
    }
    let mut blocks = vec![Block::Facts(facts)];
    if shown.must_change {
        let rule = Span::plain(words.say(Msg::LoginRule));
        blocks.extend([Block::Gap, Block::Text(vec![rule])]);
    }
    let notice = shown.notice.map(|notice| {
        let text = words.say(message(notice));
        Span::of(Role::Danger, format!("! {text}"))
    });
    Page {
        heading: words.say(Msg::LoginHeading),
        blocks,
        notice,
        hints: words.keys(&[
            ("Enter", Msg::KeyConfirm),
            ("Esc", Msg::KeyClear),
            ("F2", Msg::KeyLanguage),
        ]),
        ..Page::default()
    }
}

fn fact(
    words: Words,
    shown: &LoginPage,
    field: Field,
    label: Msg,
    value: String,
) -> (String, Span) {
    if shown.field == field {
        return (
            words.say(label),
            Span::of(Role::Action, format!("{value}_")),
        );
    }
    (words.say(label), Span::plain(value))
}

fn stars(letters: usize) -> String {
    "*".repeat(letters.min(STARS_MAX))
}

fn message(notice: LoginNotice) -> Msg {
    match notice {
        LoginNotice::Wrong => Msg::LoginWrong,
        LoginNotice::Locked => Msg::LoginLocked,
        LoginNotice::MustChange => Msg::LoginMustChange,
        LoginNotice::Differ => Msg::LoginDiffer,
        LoginNotice::Length => Msg::LoginLength,
        LoginNotice::Owner => Msg::LoginOwner,
        LoginNotice::Worst => Msg::LoginWorst,
        LoginNotice::Used => Msg::LoginUsed,
        LoginNotice::Idle => Msg::LoginIdle,
        LoginNotice::Over => Msg::LoginOver,
        LoginNotice::NotSent => Msg::FaultOffline,
    }
}
