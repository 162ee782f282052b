//! `rules`: the table of rules as a product owner reads it: id, gate, remedy, whether it
//! is on, its parameters in force, and the customer's words.

use std::path::PathBuf;
use std::process::ExitCode;

use counterfoil_data::demo;
use counterfoil_data::locale::{Lang, Msg, rule_message, template};
use counterfoil_data::wire::problem::Remedy;

use super::offline::{self, say};
use crate::config::Config;
use crate::core::matrix;
use crate::core::query::terms as in_books;
use crate::core::record::bank::{FeeRow, LockScope};
use crate::core::record::terms::{Hours, ListRow};
use crate::core::rules::{
    self, CARD_UNKNOWN, CITIZEN_CHECK, ENROL_AGAIN, FINGER_MISMATCH, Gate, LOCKED,
    NOT_AGENT_OF_UNIT, RULES, Rule, Terms,
};
use crate::store::Snapshots as _;
use crate::terms;

/// Refusals of the gates' own checks, beside the rules.
const GATES: [&str; 6] = [
    CARD_UNKNOWN,
    LOCKED,
    NOT_AGENT_OF_UNIT,
    CITIZEN_CHECK,
    FINGER_MISMATCH,
    ENROL_AGAIN,
];

/// Whose rules.
#[derive(Debug, Clone, clap::Args)]
pub struct RulesArgs {
    /// Configuration: names the database; the service must not be running.
    #[arg(long, required_unless_present_any = ["demo", "matrix"])]
    config: Option<PathBuf>,
    /// The demo bank's, from its file if no database is named.
    #[arg(long, conflicts_with = "config")]
    demo: bool,
    /// Database of the demo.
    #[arg(long, requires = "demo")]
    db: Option<PathBuf>,
    /// An earlier version of the policy, as a refusal names it.
    #[arg(long)]
    of_version: Option<u32>,
    /// The table of acts that take two people instead, and of roles kept apart.
    #[arg(long, conflicts_with_all = ["config", "demo", "of_version"])]
    matrix: bool,
}

/// Prints the table.
pub fn print(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    if args.matrix {
        return say(&matrix::table());
    }
    let db = match &args.config {
        Some(path) => Some(Config::load(path)?.database),
        None => args.db.clone(),
    };
    let (mut terms, fees) = match &db {
        Some(db) => {
            let store = offline::open(db)?;
            let read = store.snapshot()?;
            let mut terms = Terms::in_force(&*read)?;
            if let Some(version) = args.of_version {
                terms.policy = in_books::policy(&*read, version)?
                    .ok_or_else(|| anyhow::anyhow!("version {version} was never in force"))?;
            }
            (terms, in_books::fees(&*read)?)
        }
        None => of_the_demo_file()?,
    };
    if db.is_none() && args.of_version.is_some_and(|v| v != terms.policy.version) {
        anyhow::bail!("the demo's file has version {} only", terms.policy.version);
    }
    terms.policy.rules_off.sort_unstable();
    say(&lines(&terms, &fees).join("\n"))
}

fn of_the_demo_file() -> anyhow::Result<(Terms, Vec<FeeRow>)> {
    let bank = demo::bank()?;
    let usual = Hours {
        opens: bank.branch.opens,
        closes: bank.branch.closes,
    };
    let row = |fee: &demo::Fee| FeeRow {
        kind: fee.kind,
        from: fee.from,
        each: fee.each,
    };
    let terms = Terms {
        policy: terms::policy(&bank.policy),
        calendar: terms::calendar(&bank.calendar, usual),
        list: bank.list.as_ref().map(|list| ListRow {
            as_of: list.as_of,
            number: 1,
            count: u32::try_from(list.entries.len()).unwrap_or(u32::MAX),
        }),
        access: bank.access.as_ref().map(terms::access).unwrap_or_default(),
    };
    let mut fees: Vec<FeeRow> = bank.fees.iter().map(row).collect();
    fees.sort_by_key(|fee| (fee.kind.digit(), fee.from));
    Ok((terms, fees))
}

fn gate(gate: Gate) -> &'static str {
    match gate {
        Gate::Info => "information",
        Gate::Identity => "identity",
        Gate::Order => "order",
    }
}

fn remedy(remedy: Remedy) -> &'static str {
    template(Lang::En, Msg::from(remedy))
}

/// One rule in four lines.
fn rule(rule: &Rule, terms: &Terms) -> String {
    let off = terms.policy.rules_off.iter().any(|id| id == rule.id);
    let on = match (off, rule.optional) {
        (true, _) => "OFF",
        (false, true) => "on",
        (false, false) => "on, always",
    };
    let words = rule_message(rule.id);
    format!(
        "{:<20}{:<13}{on:<12}{}\n    terms  {}\n    zh     {}\n    en     {}",
        rule.id,
        gate(rule.gate),
        remedy(rule.remedy),
        (rule.terms)(terms),
        template(Lang::ZhHans, words),
        template(Lang::En, words),
    )
}

fn lines(terms: &Terms, fees: &[FeeRow]) -> Vec<String> {
    let (policy, access) = (&terms.policy, &terms.access);
    let mut lines = vec![
        format!(
            "policy version {}; each rule is asked again at linking",
            policy.version
        ),
        format!(
            "attempts: {} at information, {} at identity, {} at a kiosk; a lock lasts {} s",
            policy.info_attempts, policy.identity_attempts, policy.kiosk_attempts, policy.lock_s
        ),
        format!(
            "locks, one after the other, of a card {:?} s, an account {:?} s, a kiosk {:?} s",
            access.locks_s(LockScope::Card, policy),
            access.locks_s(LockScope::Account, policy),
            access.locks_s(LockScope::Kiosk, policy)
        ),
        format!(
            "{}: {} attempts, locks {:?} s; {} at a terminal, locks {:?} s; idle {} s, at most {} s",
            access.word(),
            access.staff_attempts,
            access.staff_locks_s,
            access.terminal_attempts,
            access.terminal_locks_s,
            access.idle_s,
            access.session_s
        ),
        format!(
            "finger: {} of 1000 -log10 FMR; locks of an agent last {:?} s, one after the other",
            policy.match_threshold_milli,
            access.locks_s(LockScope::Agent, policy)
        ),
        format!(
            "officer: {:?}, silent for {} s is no; a sale may take {} s before linking",
            policy.confirm, policy.confirm_within_s, policy.sale_within_s
        ),
        String::new(),
        format!("{:<20}{:<13}{:<12}{}", "rule", "gate", "", "remedy"),
    ];
    lines.extend(RULES.iter().map(|each| rule(each, terms)));
    lines.push(String::new());
    lines.push("what the gates themselves refuse".to_owned());
    lines.extend(GATES.iter().map(|id| {
        let (refusal, words) = (rules::refusal(id, policy.version), rule_message(id));
        format!(
            "{id:<20}{}\n    terms  {}\n    zh     {}\n    en     {}",
            remedy(refusal.remedy),
            refusal.staff,
            template(Lang::ZhHans, words),
            template(Lang::En, words),
        )
    }));
    lines.push(String::new());
    lines.push("fee for one form, each from its date on".to_owned());
    lines.extend(fees.iter().map(|fee| {
        let kind = template(Lang::En, Msg::from(fee.kind));
        format!("    {kind:<28}{}  {}", fee.from, fee.each)
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_owner_reads_every_rule_with_its_terms_and_both_texts() {
        let (mut terms, fees) = of_the_demo_file().expect("the demo bank");
        terms.policy.rules_off = vec!["bounced".to_owned()];
        let table = lines(&terms, &fees).join("\n");
        for rule in RULES {
            for lang in Lang::ALL {
                assert!(
                    table.contains(template(lang, rule_message(rule.id))),
                    "{}",
                    rule.id
                );
            }
        }
        for text in [
            "policy version 1;",
            "closed: 2026-02-17 春节",
            "2026-02-16 除夕 00:00:00 to 12:00:00",
            "at most 3650 days old; list of 2026-01-10, 1 entries",
            "at most 2 in 365 days",
            "Transfer cheque             2027-07-01  0.50",
        ] {
            assert!(table.contains(text), "{text} in\n{table}");
        }
        let line = |id: &str| table.lines().find(|l| l.starts_with(id)).expect("a line");
        assert!(line("bounced").contains("OFF"));
        assert!(line("stock-short").contains("on, always"));
    }
}
