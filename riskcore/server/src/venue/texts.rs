//! What a venue says with a reject, as ids: the core tells new words from old ones, and never keeps text per order.

use riskcore::events::{Event, NameKind};
use riskcore::ids::VenueTextId;
use riskcore::names::{MAX_VENUE_TEXTS, Names};

use crate::plane::Plane;

/// Characters of the venue's words that are kept.
const LONGEST: usize = 80;

/// What stands for words that came after there was no room for more.
const OTHER: &str = "(further words)";

impl Plane {
    /// The id of the venue's words, new ones getting the next. `None` if it gave none.
    pub(crate) fn venue_text(&mut self, text: &[u8]) -> Option<VenueTextId> {
        let name = name_for(text, self.names())?;
        if self.names().venue_text(&name).known().is_none() {
            self.apply(&Event::Define { kind: NameKind::VenueText, name: name.clone() });
        }
        self.names().venue_text(&name).known()
    }
}

/// What the venue's words are called; `None` if it gave none. The last name is kept for all that there is no room for.
pub fn name_for(text: &[u8], names: &Names) -> Option<String> {
    let words = words(text)?;
    let room = names.venue_texts.len() + 1 < MAX_VENUE_TEXTS;
    Some(if room || names.venue_text(&words).known().is_some() { words } else { OTHER.to_owned() })
}

/// The words without what differs from order to order: numbers become `#`.
fn words(text: &[u8]) -> Option<String> {
    let mut out = String::new();
    for c in String::from_utf8_lossy(text).trim().chars().take(LONGEST) {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn numbers_do_not_make_words_new() {
        for (text, expected) in [
            ("Power Peg disabled", Some("Power Peg disabled")),
            ("order 4711 of 8: too large", Some("order # of #: too large")),
            (" ", None),
            ("", None),
            ("a\nb", Some("a b")),
        ] {
            assert_eq!(expected, words(text.as_bytes()).as_deref(), "{text}");
        }
        assert_eq!(Some("\u{fffd}"), words(&[0xff]).as_deref());
        assert_eq!(80, words(&[b'x'; 500]).unwrap().len());
    }
}
