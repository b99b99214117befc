//! Quotes: fixed until someone sets them.

use std::sync::Mutex;

use crate::proto::Quote;
use crate::sync::lock;

/// The newest quote of each symbol.
#[derive(Debug)]
pub struct Quotes {
    quotes: Mutex<Vec<Quote>>,
}

impl Quotes {
    /// Starts with `quotes`.
    pub fn new(quotes: Vec<Quote>) -> Self {
        Self { quotes: Mutex::new(quotes) }
    }

    /// Sets one symbol's quote; subscribers get it with the next repetition.
    pub fn set(&self, quote: Quote) {
        let mut quotes = lock(&self.quotes);
        match quotes.iter_mut().find(|known| known.symbol == quote.symbol) {
            Some(known) => *known = quote,
            None => quotes.push(quote),
        }
    }

    /// The quote of a symbol.
    pub fn find(&self, symbol: &[u8]) -> Option<Quote> {
        lock(&self.quotes).iter().find(|quote| quote.symbol.as_bytes() == symbol).cloned()
    }

    /// Up to `count` quotes from `position` that `wanted` asks for (empty = all), and where to go on.
    pub fn page(&self, wanted: &[String], position: usize, count: usize) -> (Vec<Quote>, Option<usize>) {
        let quotes = lock(&self.quotes);
        let page: Vec<Quote> = quotes.iter().skip(position).take(count).cloned().collect();
        let next = position + page.len();
        let more = (next < quotes.len()).then_some(next);
        (page.into_iter().filter(|quote| wanted.is_empty() || wanted.contains(&quote.symbol)).collect(), more)
    }
}
