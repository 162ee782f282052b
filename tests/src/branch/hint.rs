//! The last row of the branch: what can be done next, and by whom.
//!
//! Told from what the screens say and from what hands have cut, never guessed from
//! a screen's name alone: a row that names a useless key is worse than none.

use counterfoil_tui::model::{
    Body, DocumentProblem, FingerAdvice, FormPhase, KioskScreen, Language, LeftBehind, ReceiptOut,
    ServiceFault, StopReason,
};

/// What the branch looks like.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Language of the row.
    pub language: Language,
    /// The kiosk has power.
    pub power: bool,
    /// The cable to the backend is whole.
    pub network: bool,
    /// The backend runs.
    pub backend: bool,
    /// The kiosk's screen.
    pub kiosk: Option<&'a KioskScreen>,
    /// Public name of the station's screen.
    pub station: &'a str,
}

/// Chinese and English.
type Words = (&'static str, &'static str);

/// What can be done next.
pub fn hint(seen: Seen<'_>) -> String {
    let (chinese, english) = words(seen);
    let said = match seen.language {
        Language::ZhHans => chinese,
        Language::En => english,
    };
    // Paper is awaited or lies in reach only for a while, whichever screen one looks at.
    let timed = seen.kiosk.filter(|kiosk| {
        matches!(
            kiosk.body,
            Body::TakeForms { .. }
                | Body::TakeForm { .. }
                | Body::InsertForm { .. }
                | Body::TakeReceipt { .. }
        )
    });
    match timed.and_then(|kiosk| kiosk.seconds_left) {
        Some(left) => format!("{said} ({left} s)"),
        None => said.to_owned(),
    }
}

fn words(seen: Seen<'_>) -> Words {
    if !seen.power {
        return (
            "终端已断电：桌面按 o 恢复",
            "kiosk has no power: desk, key o",
        );
    }
    let Some(kiosk) = seen.kiosk else {
        return ("正在启动…", "starting…");
    };
    let waits = kiosk.offline
        || matches!(
            kiosk.body,
            Body::OutOfService {
                why: ServiceFault::Offline
            }
        );
    // A kiosk with nobody at it looks at its backend once a minute.
    let waits = waits || matches!(kiosk.body, Body::Attract { .. } | Body::PickMode { .. });
    if waits && !seen.backend {
        return (
            "后台已停：桌面按 q 重启",
            "the backend is dead: desk, key q",
        );
    }
    if waits && !seen.network {
        return ("网络已断：桌面按 m 恢复", "the network is cut: desk, key m");
    }
    before(&kiosk.body)
        .or_else(|| selling(&kiosk.body, seen.station))
        .unwrap_or(("请稍候…", "one moment…"))
}

/// Until the order is chosen.
fn before(body: &Body) -> Option<Words> {
    Some(match body {
        Body::Starting => ("正在启动…", "starting…"),
        Body::Attract { left_behind, .. } => left(left_behind).unwrap_or((
            "顾客：按回车开始（L 换语言）",
            "customer: press Enter (L changes language)",
        )),
        Body::PickMode { .. } => ("顾客：选择方式后回车", "customer: pick a mode, Enter"),
        Body::InsertCard { problem: Some(_) } => (
            "桌面：按 8 拔卡，再按 1 插卡",
            "desk: key 8 takes the card out, 1 inserts it",
        ),
        Body::InsertCard { .. } => ("桌面：按 1 插卡", "desk: key 1 inserts the card"),
        Body::EnterPin { .. } => (
            "桌面：按 2 输入密码（a 错误密码）",
            "desk: key 2 types the PIN (a: a wrong one)",
        ),
        Body::EnterAccount { .. } => (
            "顾客：输入 3130000000000000001 后回车",
            "customer: type 3130000000000000001, Enter",
        ),
        Body::EnterPassword { .. } => (
            "顾客：输入 8642097531864209 后回车",
            "customer: type 8642097531864209, Enter",
        ),
        Body::PlaceDocument {
            problem: Some(DocumentProblem::LiftAndReplace),
            ..
        } => (
            "桌面：按 9 拿起身份证，再按 3 放上",
            "desk: key 9 lifts the ID card, 3 lays it down",
        ),
        Body::PlaceDocument { .. } => (
            "桌面：按 3 放身份证（c 伪造）",
            "desk: key 3 lays the ID card down (c: forged)",
        ),
        Body::PlaceFinger {
            advice: Some(FingerAdvice::OtherFinger | FingerAdvice::LiftFirst),
            ..
        } => (
            "桌面：按 5 移开手指，再按 4 按上",
            "desk: key 5 lifts the finger, 4 puts Zhang's on",
        ),
        Body::PlaceFinger {
            advice: Some(_), ..
        } => (
            "桌面：按 5 移开手指，再按 4",
            "desk: key 5 lifts the finger, then key 4",
        ),
        Body::PlaceFinger { .. } => (
            "桌面：按 4 按手指（e 他人）",
            "desk: key 4 puts the finger on (e: stranger)",
        ),
        Body::PlaceOtherFinger { .. } => (
            "桌面：按 5 移开手指，再按 z；顾客：Esc 返回",
            "desk: key 5 lifts, z: Zhang's other finger; or Esc",
        ),
        Body::PickOrder { .. } => (
            "顾客：左右改数量，选提交后回车",
            "customer: left/right, then Enter on confirm",
        ),
        _ => return None,
    })
}

/// From the order on.
fn selling(body: &Body, station: &str) -> Option<Words> {
    Some(match body {
        Body::AwaitConfirm { .. } if station == "Case" => (
            "确认员：y 同意 n 拒绝 a 再问",
            "officer: y confirms, n denies, a asks",
        ),
        Body::AwaitConfirm { .. } if station == "Reason" => {
            ("确认员：选择理由后回车", "officer: pick a reason, Enter")
        }
        Body::AwaitConfirm { .. } => (
            "确认员：回车打开待确认的购买",
            "officer: Enter opens the waiting case",
        ),
        Body::Dispensing {
            phase: FormPhase::Attention,
            ..
        } => (
            "桌面：按 g 清除卡纸（或 t 接上打印机）",
            "desk: key g clears the jam (t: plug in again)",
        ),
        Body::Dispensing { .. } | Body::Resuming { .. } => (
            "正在打印；桌面可制造故障",
            "printing; the desk can make trouble",
        ),
        Body::PrepareForm { .. } => ("顾客屏：按回车", "kiosk: press Enter"),
        Body::InsertForm { sensed: true, .. } => {
            ("桌面：按 y 放入凭证", "desk: key y puts the form in")
        }
        Body::InsertForm { .. } => (
            "桌面：按 y 放入凭证；再到顾客屏按回车",
            "desk: key y; then Enter at the kiosk",
        ),
        Body::ReadNumber { .. } => (
            "顾客屏：照桌面所示的号码输入两遍",
            "kiosk: type the number shown at the desk, twice",
        ),
        Body::TakeForm { by_word: true, .. } => (
            "桌面：按 6 取出；再到顾客屏按回车",
            "desk: key 6; then Enter at the kiosk",
        ),
        Body::TakeForm { .. } | Body::TakeForms { .. } => {
            ("桌面：按 6 取走票据", "desk: key 6 takes the forms")
        }
        Body::TakeReceipt { .. } => ("桌面：按 7 取凭条", "desk: key 7 takes the receipt"),
        Body::Done {
            left_behind,
            receipt_out,
            ..
        } => left(left_behind).unwrap_or(if *receipt_out == ReceiptOut::Printed {
            (
                "桌面：7 取凭条；顾客：回车",
                "desk: key 7 takes the receipt; customer: Enter",
            )
        } else {
            ("顾客：回车结束", "customer: Enter ends it")
        }),
        Body::Stopped {
            why: StopReason::Locked,
            left_behind,
            ..
        } if left_behind.is_empty() => (
            "暂时锁定：桌面 u v w x 是李样例",
            "locked for a time: desk keys u v w x are Li, another buyer",
        ),
        Body::Stopped { left_behind, .. } => left(left_behind)
            .unwrap_or(("顾客：回车返回", "customer: Enter goes back to the start")),
        Body::OutOfService { why } => broken(why),
        _ => return None,
    })
}

/// What still lies in the readers.
fn left(things: &[LeftBehind]) -> Option<Words> {
    let has = |thing| things.contains(&thing);
    match (has(LeftBehind::Card), has(LeftBehind::Document)) {
        (true, true) => Some((
            "桌面：8 拔卡，9 取身份证",
            "desk: key 8 takes the card, 9 the ID card",
        )),
        (true, false) => Some(("桌面：按 8 拔卡", "desk: key 8 takes the card out")),
        (false, true) => Some((
            "桌面：按 9 取走身份证",
            "desk: key 9 takes the ID card away",
        )),
        (false, false) => None,
    }
}

/// What ends an interruption of service.
fn broken(why: &ServiceFault) -> Words {
    match why {
        ServiceFault::Device(_) => (
            "桌面：g 清卡纸，r 清空打印机，t 接上",
            "desk: g clears a jam, r empties the printer, t plugs in",
        ),
        ServiceFault::Offline => (
            "桌面：m 恢复网络，q 重启后台",
            "desk: m mends the network, q restarts the backend",
        ),
        ServiceFault::SlotLocked(_) => (
            "卡槽已锁，须两人在后台解锁；Ctrl-C 离开",
            "slot locked: two staff unlock it at the books; Ctrl-C",
        ),
        ServiceFault::ForeignKeyboard => (
            "拔下外来键盘后恢复；Ctrl-C 离开",
            "unplug the foreign keyboard; Ctrl-C leaves",
        ),
        ServiceFault::NotEnrolled
        | ServiceFault::Journal
        | ServiceFault::LogShrunk
        | ServiceFault::BooksBehind => (
            "须员工处理；Ctrl-C 离开",
            "needs staff at the backend; Ctrl-C leaves",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: Body, cut: bool) -> String {
        let screen = KioskScreen {
            language: Language::En,
            step: None,
            seconds_left: None,
            offline: cut,
            body,
        };
        hint(Seen {
            language: Language::En,
            power: true,
            network: !cut,
            backend: true,
            kiosk: Some(&screen),
            station: "Queue",
        })
    }

    fn attract(left_behind: Vec<LeftBehind>) -> Body {
        let branch = String::new();
        Body::Attract {
            branch,
            left_behind,
        }
    }

    #[test]
    fn a_card_left_behind_is_named_before_enter_is() {
        assert!(said(attract(vec![]), false).contains("Enter"));
        let hint = said(attract(vec![LeftBehind::Document]), false);
        assert!(hint.contains("key 9") && !hint.contains("Enter"), "{hint}");
    }

    #[test]
    fn what_was_cut_is_named_first() {
        assert!(said(attract(vec![]), true).contains("key m"));
    }

    #[test]
    fn the_account_and_password_named_are_the_demo_banks() {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        let named = |name: &str| bank.secret(name).expect("a secret").expose().to_owned();
        let (typed, problem) = (Default::default(), None);
        let account = Body::EnterAccount {
            typed,
            problem,
            attempts_left: None,
        };
        assert!(said(account, false).contains(&named("jixie-account")));
        let password = Body::EnterPassword {
            digits: 0,
            problem,
            attempts_left: None,
        };
        assert!(said(password, false).contains(&named("jixie-password")));
    }

    #[test]
    fn a_jam_is_answered_with_the_key_that_clears_it() {
        let body = Body::Dispensing {
            requisition: String::new(),
            printed: 0,
            total: 1,
            current: None,
            phase: FormPhase::Attention,
            spoiled: vec![],
            unknown: vec![],
        };
        assert!(said(body, false).contains("key g"));
    }
}
