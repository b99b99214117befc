//! What all streams of the stub share: the gateways and the quotes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::book::{Book, BookCounts, Rules};
use super::config::{MAX_GATEWAYS, StubConfig};
use super::quotes::Quotes;
use crate::clock::Clock;
use crate::sync::lock;

/// The shared state of a stub.
#[derive(Debug)]
pub struct Venue {
    config: StubConfig,
    clock: Clock,
    quotes: Arc<Quotes>,
    books: Mutex<BTreeMap<String, Arc<Mutex<Book>>>>,
}

/// What a stub has done, over all gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StubCounts {
    /// Gateways that have logged on.
    pub gateways: u64,
    /// Orders open now.
    pub open_orders: u64,
    /// The rest.
    pub book: BookCounts,
}

impl Venue {
    /// A venue that no gateway knows yet.
    pub fn new(config: StubConfig) -> Self {
        let quotes = Arc::new(Quotes::new(config.quotes.clone()));
        Self { config, clock: Clock::new(), quotes, books: Mutex::default() }
    }

    /// What it was told.
    pub fn config(&self) -> &StubConfig {
        &self.config
    }

    /// The newest quotes.
    pub fn quotes(&self) -> &Quotes {
        &self.quotes
    }

    /// UTC ns.
    pub fn utc(&self) -> u64 {
        self.clock.utc(self.clock.now())
    }

    /// The gateway of this name when it has logged on before.
    pub fn known(&self, gateway: &str) -> Option<Arc<Mutex<Book>>> {
        lock(&self.books).get(gateway).map(Arc::clone)
    }

    /// The gateway of this name, new or known; `None` when there are too many.
    pub fn gateway(&self, gateway: &str) -> Option<Arc<Mutex<Book>>> {
        let mut books = lock(&self.books);
        if let Some(book) = books.get(gateway) {
            return Some(Arc::clone(book));
        }
        if books.len() >= MAX_GATEWAYS {
            return None;
        }
        let rules = Rules::new(&self.config, Arc::clone(&self.quotes));
        let book = Arc::new(Mutex::new(Book::new(rules)));
        books.insert(gateway.to_owned(), Arc::clone(&book));
        Some(book)
    }

    /// What has been done so far.
    pub fn counts(&self) -> StubCounts {
        let books = lock(&self.books);
        let mut sum = StubCounts { gateways: books.len() as u64, ..StubCounts::default() };
        for book in books.values() {
            let (counts, open) = lock(book).counts();
            sum.open_orders += open as u64;
            sum.book.orders += counts.orders;
            sum.book.cancels += counts.cancels;
            sum.book.replaces += counts.replaces;
            sum.book.trades += counts.trades;
            sum.book.rejects += counts.rejects;
            sum.book.reports += counts.reports;
            sum.book.duplicates += counts.duplicates;
        }
        sum
    }
}
