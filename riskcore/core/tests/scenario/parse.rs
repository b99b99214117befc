//! The scenario language: words, numbers and units. See tests/scenarios/README.md.

use riskcore::limits::{Action, LimitDef, LimitId, Setting};
use riskcore::outcome::Unit;
use riskcore::units::UNIT;

/// A line split into words, with an optional expectation after `->`.
pub struct Line<'a> {
    pub number: usize,
    pub words: Vec<&'a str>,
    pub expect: Option<&'a str>,
}

/// The lines that say something.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.split('#').next().unwrap_or("").trim()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| {
            let (left, expect) = match line.split_once("->") {
                Some((left, right)) => (left, Some(right.trim())),
                None => (line, None),
            };
            Line { number, words: left.split_whitespace().collect(), expect }
        })
        .collect()
}

impl<'a> Line<'a> {
    /// The value of `key=value`.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The words that are not `key=value`.
    pub fn plain(&self) -> Vec<&'a str> {
        self.words.iter().copied().filter(|word| !word.contains('=')).collect()
    }
}

/// An exact decimal in 1e-9 units: `103.01`, `-5`, `1_000`.
pub fn fixed(text: &str) -> i128 {
    let clean = text.replace('_', "");
    let (sign, digits) = match clean.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, clean.as_str()),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 9, "more than nine decimals: {text}");
    let whole: i128 = whole.parse().unwrap_or_else(|_| panic!("not a number: {text}"));
    let part: i128 = format!("{part:0<9}").parse().unwrap_or_else(|_| panic!("not a number: {text}"));
    sign * (whole * i128::from(UNIT) + part)
}

/// A whole number.
pub fn whole(text: &str) -> i64 {
    text.replace('_', "").parse().unwrap_or_else(|_| panic!("not a whole number: {text}"))
}

/// A span: `100ms`, `5s`, `2m`.
pub fn span(text: &str) -> i64 {
    for (suffix, scale) in [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000)] {
        if let Some(n) = text.strip_suffix(suffix)
            && n.chars().all(|c| c.is_ascii_digit() || c == '_')
        {
            return whole(n) * scale;
        }
    }
    panic!("not a span (100ms, 5s, 2m): {text}");
}

/// `value[,action][,soft]`: a limit's setting; `none` removes it.
pub fn limit_setting(limit: LimitId, text: &str) -> Option<Setting> {
    let mut words = text.split(',');
    let value = limit_value(limit.def(), words.next().unwrap_or(""))?;
    let mut setting = Setting::of(limit, value);
    for word in words {
        match Action::by_name(word) {
            Some(action) => setting.action = action,
            None if word == "soft" => setting.soft = true,
            None => panic!("neither an action nor `soft`: {word}"),
        }
    }
    Some(setting)
}

/// A limit's value, in the limit's unit.
fn limit_value(def: &LimitDef, text: &str) -> Option<i128> {
    if text == "none" {
        return None;
    }
    Some(match def.unit {
        Unit::Money | Unit::Price => fixed(text),
        Unit::Nanos => span(text).into(),
        Unit::Quantity | Unit::Bps | Unit::Messages | Unit::Count | Unit::None => whole(text).into(),
    })
}
