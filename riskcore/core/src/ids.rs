//! Identities. Names become dense `u32` ids at the edge (`Names`); ids of orders carry the gateway's epoch.

/// A dense id; the type says of what.
macro_rules! dense_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a dense table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

dense_id! {
    /// A trading account.
    AccountId,
    /// A router: one server instance of a routing fleet.
    RouterId,
    /// A strategy.
    StrategyId,
    /// An instrument.
    SymbolId,
    /// A currency other than the base currency.
    CurrencyId,
    /// A parent order of the trading day.
    ParentId,
    /// Words of the venue, as it gives them with a reject.
    VenueTextId,
    /// A group of instruments (FIX 1151).
    SecurityGroupId,
}

/// Our OrderID, at the router and at the venue: `epoch << 40 | n`, n from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub u64);

impl OrderId {
    /// Bits of the counter within an epoch: 2^40 orders.
    pub const COUNTER_BITS: u32 = 40;

    /// The id of the `n`-th order of `epoch`.
    pub fn new(epoch: u32, n: u64) -> OrderId {
        OrderId(u64::from(epoch) << Self::COUNTER_BITS | n)
    }

    /// The counter part.
    pub fn n(self) -> u64 {
        self.0 & ((1 << Self::COUNTER_BITS) - 1)
    }
}

/// A client's identifier (ClOrdID of an order or a parent): 1 to 36 bytes of printable ASCII without space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClOrdId {
    len: u8,
    /// Zero after `len`.
    bytes: [u8; ClOrdId::MAX],
}

impl ClOrdId {
    /// The longest identifier: a UUID in text.
    pub const MAX: usize = 36;

    /// The identifier, or `None` if it is empty, too long or not printable ASCII.
    pub fn new(text: &[u8]) -> Option<ClOrdId> {
        if text.is_empty() || text.len() > Self::MAX || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(ClOrdId { len: text.len() as u8, bytes })
    }

    /// The decimal text of `n`, for callers that number their orders.
    pub fn from_number(n: u64) -> ClOrdId {
        // At most the 20 digits of u64::MAX.
        let len = n.checked_ilog10().map_or(1, |log| log as usize + 1);
        let (mut bytes, mut rest) = ([0; Self::MAX], n);
        for digit in bytes[..len].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        ClOrdId { len: len as u8, bytes }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// As text; always ASCII.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl core::hash::Hash for ClOrdId {
    /// Feeds the bytes in use, eight at a time. Those after them are zero and none of them is, so the length need not be told.
    #[inline]
    fn hash<H: core::hash::Hasher>(&self, hasher: &mut H) {
        let used = usize::from(self.len);
        let (words, rest) = self.bytes.as_chunks::<8>();
        for word in words.iter().take(used.div_ceil(8)) {
            hasher.write_u64(u64::from_le_bytes(*word));
        }
        if used > ClOrdId::MAX / 8 * 8 {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            hasher.write_u64(u64::from_le_bytes(last));
        }
    }
}

impl core::fmt::Debug for ClOrdId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.as_str())
    }
}

/// A reference to something configured, as a message gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ref<T> {
    /// The field was empty.
    Absent,
    /// The field named something that is not configured.
    Unknown,
    /// Known.
    Known(T),
}

impl<T> Ref<T> {
    /// The id, if known.
    pub fn known(self) -> Option<T> {
        match self {
            Ref::Known(id) => Some(id),
            Ref::Absent | Ref::Unknown => None,
        }
    }
}
