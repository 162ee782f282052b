//! Files people write (TOML): terms, the demo bank, form templates. Errors name a line
//! of the file and no number of anybody; what is accepted keeps its rules of form.
#![no_main]

use counterfoil_data::demo::DemoBank;
use counterfoil_data::form::FormTemplate;
use counterfoil_data::terms::{DayHours, Terms};

/// Whether digits enough for an account or a citizen number stand together.
fn tells(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|run| run.len() >= 9)
}

fn terms(text: &str) {
    match Terms::parse(text) {
        Err(error) => {
            assert!(
                (1..=text.lines().count().max(1) + 1).contains(&error.line),
                "{error}"
            );
            assert!(!tells(&error.what), "no personal data: {error}");
        }
        Ok(terms) => {
            let lines = terms.fees.iter().map(|p| p.line);
            let lines = lines.chain(terms.list.iter().map(|p| p.line));
            let lines = lines.chain(terms.accounts.iter().map(|p| p.line));
            assert!(
                lines
                    .into_iter()
                    .all(|l| (1..=text.lines().count()).contains(&l))
            );
            let list = terms.list.iter().flat_map(|list| &list.part.entries);
            assert!(list.into_iter().all(|entry| entry.broken().is_none()));
            assert!(!tells(&format!("{:?}", terms.list)), "debug shows nobody");
        }
    }
}

fn forms(text: &str) {
    let Ok(template) = FormTemplate::parse(text) else {
        return;
    };
    for field in &template.fields {
        assert!(field.area.right() <= template.stock.width);
        assert!(field.area.bottom() <= template.stock.height);
        for text in [
            "样例机械有限公司",
            "1",
            "Sample Machinery and Trading Company Limited",
        ] {
            let Ok(fitted) = field.fit(text) else {
                continue;
            };
            assert_eq!(
                fitted.lines.concat().replace(' ', ""),
                text.replace(' ', ""),
                "never cut"
            );
            assert!(fitted.lines.len() <= usize::try_from(field.lines_max).unwrap_or(0));
            for line in &fitted.lines {
                let wide = counterfoil_data::form::width(line, fitted.font_height);
                assert!(wide <= field.area.width);
            }
        }
    }
    for (n, one) in template.fields.iter().enumerate() {
        for two in template.fields.iter().skip(n + 1) {
            assert!(!one.area.touches(two.area) && one.name != two.name);
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(text) = counterfoil_fuzz::text(data) else {
        return;
    };
    terms(text);
    forms(text);
    if let Ok(bank) = DemoBank::parse(text) {
        for slot in bank.kiosks.iter().flat_map(|kiosk| &kiosk.slots) {
            assert!(slot.range().is_ok());
        }
    }
    if let Ok(DayHours::Open(opens, closes)) = text.parse() {
        assert!(opens <= closes);
    }
});
