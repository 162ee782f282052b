//! Masks: what a person's data look like where they may be seen (I7).
//!
//! Account: the last 4 digits. Citizen number: the first 6 and the last 2. Person:
//! surname and stars. Owns the masks only; whoever holds the clear value decides
//! where the mask goes. A mask never tells more than these, whatever its input.

/// Longest mask made, in characters; longer inputs are masked shorter.
pub const MASK_CHARS_MAX: usize = 32;
/// Stars shown for a given name at most.
const NAME_STARS_MAX: usize = 3;
/// Two-character surnames (复姓) that are shown whole.
const COMPOUND: [&str; 16] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "宇文", "长孙",
    "司徒", "端木", "东方", "独孤",
];

/// First `head` and last `tail` characters, stars between. A text that is not
/// longer than what would be shown becomes all stars.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let count = text.chars().count().min(MASK_CHARS_MAX);
    let shown = head.saturating_add(tail);
    if count <= shown {
        return "*".repeat(count);
    }
    let length = text.chars().count();
    let first = text.chars().take(head);
    let stars = std::iter::repeat_n('*', count.saturating_sub(shown));
    let last = text.chars().skip(length.saturating_sub(tail));
    first.chain(stars).chain(last).collect()
}

/// An account or card number: `***************0001`.
pub fn account(number: &str) -> String {
    mask(number, 0, 4)
}

/// A citizen number: `100000**********13`.
pub fn citizen_number(number: &str) -> String {
    mask(number, 6, 2)
}

/// A person's name: `张**`, `欧阳*`; a Latin name keeps its first letter.
pub fn person(name: &str) -> String {
    let name = name.trim();
    let compound = COMPOUND.iter().any(|surname| name.starts_with(surname));
    let count = name.chars().count();
    let head = if compound && count > 2 { 2 } else { 1 };
    let stars = count.saturating_sub(head).clamp(1, NAME_STARS_MAX);
    let surname: String = name.chars().take(head).collect();
    format!("{surname}{}", "*".repeat(stars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_what_the_policy_allows() {
        assert_eq!(account("3130000000000000001"), "***************0001");
        assert_eq!(citizen_number("100000198501010013"), "100000**********13");
        assert_eq!(person("张样例"), "张**");
        assert_eq!(person("张样"), "张*");
        assert_eq!(person("欧阳样例"), "欧阳**");
        assert_eq!(person("欧阳"), "欧*");
        assert_eq!(person("Sample Person"), "S***");
    }

    #[test]
    fn a_short_value_is_all_stars_and_a_long_one_is_bounded() {
        assert_eq!(account("0001"), "****");
        assert_eq!(citizen_number("12345678"), "********");
        assert_eq!(account(""), "");
        assert_eq!(person("张"), "张*");
        assert_eq!(account(&"1".repeat(500)).chars().count(), MASK_CHARS_MAX);
    }
}
