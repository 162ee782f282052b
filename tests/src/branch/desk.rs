//! The desk: the physical world of the demo branch as a screen.
//!
//! Cards, fingers, paper, cables and power are moved here and nowhere else; each
//! act is one line of the same vocabulary that `.play` scripts and the twin
//! server's desk socket use. What to do next is said by [`super::hint`].

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
pub const ACTS: [Act; 29] = [
    act(
        '1',
        "card-reader insert zhang-card",
        "插入结算卡（样例机械）",
        "insert the settlement card",
    ),
    act(
        '2',
        "pin-pad enter @zhang-pin",
        "在密码键盘上输入正确密码",
        "type the right PIN on the pad",
    ),
    act(
        '3',
        "id-reader present zhang",
        "放上张样例的身份证",
        "lay down Zhang's ID card",
    ),
    act(
        '4',
        "finger place zhang",
        "按上张样例的手指",
        "put Zhang's finger on the sensor",
    ),
    act('5', "finger lift", "移开手指", "lift the finger"),
    act('6', "form-printer take", "取走票据", "take the forms"),
    act('7', "receipt-printer take", "取走凭条", "take the receipt"),
    act('8', "card-reader remove", "拔出结算卡", "take the card out"),
    act(
        '9',
        "id-reader remove",
        "取走身份证",
        "take the ID card away",
    ),
    act('a', "pin-pad wrong", "输入错误密码", "type a wrong PIN"),
    act(
        'b',
        "pin-pad cancel",
        "在密码键盘上取消",
        "press cancel on the PIN pad",
    ),
    act(
        'c',
        "id-reader present zhang-forged",
        "放上伪造的身份证",
        "lay down a forged ID card",
    ),
    act(
        'd',
        "id-reader present stranger",
        "放上他人的身份证",
        "lay down a stranger's ID card",
    ),
    act(
        'e',
        "finger place stranger",
        "按上他人的手指",
        "put a stranger's finger on the sensor",
    ),
    act(
        'f',
        "form-printer jam after 0",
        "让下一张票据卡纸",
        "jam the printer at the next form",
    ),
    act('g', "form-printer clear jam", "清除卡纸", "clear the jam"),
    act(
        'h',
        "form-printer swap next",
        "调换下两张空白凭证",
        "swap the next two blanks",
    ),
    act(
        'i',
        "form-printer unreadable next",
        "弄脏下一张的号码",
        "make the next number unreadable",
    ),
    act(
        'j',
        "receipt-printer paper-out",
        "取走凭条纸卷",
        "take the receipt roll out",
    ),
    act(
        'k',
        "receipt-printer refill",
        "装上凭条纸卷",
        "put a receipt roll in",
    ),
    act('l', "network cut", "断开网络", "cut the network"),
    act('m', "network restore", "恢复网络", "restore the network"),
    act(
        'n',
        "power cut",
        "切断自助终端电源",
        "cut the kiosk's power",
    ),
    act(
        'o',
        "power restore",
        "恢复自助终端电源",
        "restore the kiosk's power",
    ),
    act('p', "backend kill", "终止后台", "kill the backend"),
    act('q', "backend restart", "重启后台", "restart the backend"),
    act(
        'r',
        "form-printer empty",
        "清空打印机里的票据",
        "take all paper out of the printer",
    ),
    act(
        's',
        "form-printer unplug",
        "拔掉票据打印机",
        "unplug the form printer",
    ),
    act(
        't',
        "form-printer replug",
        "接上票据打印机",
        "plug the form printer in",
    ),
];

/// The desk's state: the focus and the last things that happened.
#[derive(Debug, Default)]
pub struct Desk {
    focus: usize,
    log: Vec<String>,
}

/// Lines of the log kept.
const LOG_MAX: usize = 4;

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

    /// What an act came to.
    pub fn happened(&mut self, line: &str, outcome: Result<String, String>) {
        let said = match outcome {
            Ok(text) if text.is_empty() => format!("{line}: ok"),
            Ok(text) => format!("{line}: {text}"),
            Err(text) => format!("{line}: ! {text}"),
        };
        if self.log.len() >= LOG_MAX {
            self.log.remove(0);
        }
        self.log.push(said);
    }

    /// The page. `looks` are facts about what lies where.
    pub fn page(&self, language: Language, looks: &[String]) -> Page {
        let zh = language == Language::ZhHans;
        let said = |act: &Act| {
            let (chinese, english) = act.says;
            format!("{}  {}", act.key, if zh { chinese } else { english })
        };
        let mut blocks: Vec<Block> = looks
            .iter()
            .map(|look| Block::Text(vec![Span::of(Role::Hint, look.as_str())]))
            .collect();
        let items = ACTS.iter().map(said).collect();
        blocks.push(Block::Grid {
            items,
            focus: self.focus,
        });
        Page {
            title: if zh {
                "桌面：实物世界".into()
            } else {
                "Desk: the physical world".into()
            },
            heading: String::new(),
            notice: self
                .log
                .last()
                .map(|line| Span::of(Role::Good, line.as_str())),
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
