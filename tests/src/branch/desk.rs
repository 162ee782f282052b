//! The desk: the physical world of the demo branch as a screen.
//!
//! Cards, fingers, paper, cables and power are moved here and nowhere else; each
//! act is one line of the same vocabulary that `.play` scripts and the twin
//! server's desk socket use. What to do next is said by `super::hint`.

use counterfoil_tui::input::Key;
use counterfoil_tui::model::Language;
use counterfoil_tui::screen::page::{Block, Page, Span};
use counterfoil_tui::theme::Role;

/// One thing hands can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The key that does it at once.
    pub key: char,
    /// The desk line.
    pub line: &'static str,
    /// Said in Chinese and English.
    pub says: (&'static str, &'static str),
}

const fn act(key: char, line: &'static str, zh: &'static str, en: &'static str) -> Act {
    Act {
        key,
        line,
        says: (zh, en),
    }
}

/// Every act of the demo branch, in the order of a sale, then trouble.
pub const ACTS: [Act; 35] = [
    act(
        '1',
        "card-reader insert zhang-card",
        "插入张样例的结算卡",
        "insert Zhang's card",
    ),
    act(
        '2',
        "pin-pad enter @zhang-pin",
        "输入张样例的密码",
        "type Zhang's PIN",
    ),
    act(
        '3',
        "id-reader present zhang",
        "放上张样例身份证",
        "lay down Zhang's ID",
    ),
    act(
        '4',
        "finger place zhang",
        "按上张样例的手指",
        "put Zhang's finger on",
    ),
    act('5', "finger lift", "移开手指", "lift the finger"),
    act(
        'z',
        "finger place zhang-left",
        "按上张样例的另一枚手指",
        "Zhang's other finger",
    ),
    act('6', "form-printer take", "取走票据", "take the forms"),
    act(
        'y',
        "form-printer insert",
        "放入一张空白凭证",
        "put a blank form in",
    ),
    act('7', "receipt-printer take", "取走凭条", "take the receipt"),
    act('8', "card-reader remove", "拔出结算卡", "take the card"),
    act('9', "id-reader remove", "取走身份证", "take the ID card"),
    act('a', "pin-pad wrong", "输入错误密码", "type a wrong PIN"),
    act('b', "pin-pad cancel", "密码键盘取消", "cancel on the pad"),
    act(
        'c',
        "id-reader present zhang-forged",
        "放上伪造的身份证",
        "lay down a forged ID",
    ),
    act(
        'd',
        "id-reader present stranger",
        "放上他人的身份证",
        "lay a stranger's ID",
    ),
    act(
        'e',
        "finger place stranger",
        "按上他人的手指",
        "a stranger's finger",
    ),
    act(
        'f',
        "form-printer jam after 0",
        "让下一张票据卡纸",
        "jam the next form",
    ),
    act('g', "form-printer clear jam", "清除卡纸", "clear the jam"),
    act(
        'h',
        "form-printer swap next",
        "调换下两张空白凭证",
        "swap two blanks",
    ),
    act(
        'i',
        "form-printer unreadable next",
        "弄脏下一张的号码",
        "smudge the number",
    ),
    act(
        'j',
        "receipt-printer paper-out",
        "取走凭条纸卷",
        "take receipt roll out",
    ),
    act(
        'k',
        "receipt-printer refill",
        "装上凭条纸卷",
        "put receipt roll in",
    ),
    act('l', "network cut", "断开网络", "cut the network"),
    act('m', "network restore", "恢复网络", "restore the network"),
    act('n', "power cut", "切断终端电源", "cut the power"),
    act('o', "power restore", "恢复终端电源", "restore the power"),
    act('p', "backend kill", "终止后台", "kill the backend"),
    act('q', "backend restart", "重启后台", "restart the backend"),
    act(
        'r',
        "form-printer empty",
        "清空打印机里的票据",
        "empty the printer",
    ),
    act(
        's',
        "form-printer unplug",
        "拔掉票据打印机",
        "unplug the printer",
    ),
    act(
        't',
        "form-printer replug",
        "接上票据打印机",
        "plug the printer in",
    ),
    act(
        'u',
        "card-reader insert li-card",
        "插入李样例的结算卡",
        "insert Li's card",
    ),
    act(
        'v',
        "pin-pad enter @li-pin",
        "输入李样例的密码",
        "type Li's PIN",
    ),
    act(
        'w',
        "id-reader present li",
        "放上李样例身份证",
        "lay down Li's ID",
    ),
    act(
        'x',
        "finger place li",
        "按上李样例的手指",
        "put Li's finger on",
    ),
];

/// The desk's state: the focus and what happened last.
#[derive(Debug, Default)]
pub struct Desk {
    focus: usize,
    last: Option<Span>,
}

impl Desk {
    /// A key; gives the desk line to do, if any.
    pub fn key(&mut self, key: &Key) -> Option<&'static str> {
        match key {
            Key::Up => self.focus = self.focus.saturating_sub(1),
            Key::Down => {
                self.focus = self
                    .focus
                    .saturating_add(1)
                    .min(ACTS.len().saturating_sub(1))
            }
            Key::Enter => return ACTS.get(self.focus).map(|act| act.line),
            Key::Char(c) => {
                let at = ACTS.iter().position(|act| act.key == *c)?;
                self.focus = at;
                return ACTS.get(at).map(|act| act.line);
            }
            _ => {}
        }
        None
    }

    /// What an act came to; a refused one says why.
    pub fn happened(&mut self, line: &str, outcome: Result<String, String>) {
        self.last = Some(match outcome {
            Ok(text) if text.is_empty() => Span::of(Role::Good, format!("{line}: ok")),
            Ok(text) => Span::of(Role::Good, format!("{line}: {text}")),
            Err(text) => Span::of(Role::Danger, format!("! {line}: {text}")),
        });
    }

    /// The page. `looks` are facts about what lies where.
    pub fn page(&self, language: Language, looks: &[String]) -> Page {
        let zh = language == Language::ZhHans;
        let said = |act: &Act| {
            let (chinese, english) = act.says;
            format!("{}  {}", act.key, if zh { chinese } else { english })
        };
        let items = ACTS.iter().map(said).collect();
        let acts = Block::Grid {
            items,
            focus: self.focus,
        };
        let facts = looks
            .iter()
            .map(|look| Block::Text(vec![Span::of(Role::Hint, look.as_str())]));
        // Acts first: in a small window they are what is left.
        let blocks = [acts, Block::Gap].into_iter().chain(facts).collect();
        Page {
            title: if zh {
                "桌面：实物世界".into()
            } else {
                "Desk: the physical world".into()
            },
            heading: String::new(),
            notice: self.last.clone(),
            blocks,
            hints: if zh {
                "按字符键或回车执行".into()
            } else {
                "press a letter, or Enter on a row".into()
            },
            ..Page::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_act_has_a_key_of_its_own() {
        let keys: BTreeSet<char> = ACTS.iter().map(|act| act.key).collect();
        assert_eq!(keys.len(), ACTS.len());
    }

    #[test]
    fn a_letter_does_its_act_and_moves_the_focus() {
        let mut desk = Desk::default();
        assert_eq!(desk.key(&Key::Char('n')), Some("power cut"));
        assert_eq!(desk.key(&Key::Enter), Some("power cut"));
    }
}
