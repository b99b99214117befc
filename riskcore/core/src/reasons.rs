//! Why an order, or a person's request, is refused. Codes and names are stable: they are in journals, metrics and
//! clients. Reasons of a check live in the check's file; those that belong to no check are here.

/// One reason.
#[derive(Debug, PartialEq, Eq)]
pub struct ReasonDef {
    /// Stable number.
    pub code: u16,
    /// Stable name.
    pub name: &'static str,
    /// FIX 103 OrdRejReason.
    pub ord_rej_reason: u16,
    /// What it means and what to do.
    pub doc: &'static str,
}

/// A reason, by reference: there is one definition of each.
pub type Reason = &'static ReasonDef;

/// FIX 103 Other.
pub const OTHER: u16 = 99;

/// FIX 103 algorithm risk threshold breached.
pub const ALGORITHM_RISK_THRESHOLD: u16 = 21;

macro_rules! reasons {
    ($list:ident: $($name:ident = $code:literal, $fix:expr, $doc:literal;)+) => {
        $(
            #[doc = $doc]
            pub static $name: $crate::reasons::ReasonDef =
                $crate::reasons::ReasonDef { code: $code, name: stringify!($name), ord_rej_reason: $fix, doc: $doc };
        )+
        /// The reasons of this file.
        pub static $list: &[$crate::reasons::Reason] = &[$(&$name),+];
    };
}
pub(crate) use reasons;

reasons! { EDGE:
    STALE_ID = 101, OTHER, "The client_seq was used long ago and its answer is no longer held; use the next one.";
    MALFORMED = 130, OTHER, "A field is missing or has an unknown value; the text names it.";
    ACCOUNT_NOT_PERMITTED = 138, 15, "This router may not use this account; grant it in the configuration.";
    CAPACITY = 900, OTHER, "A table of the gateway has reached its configured capacity.";
    ARITHMETIC_OVERFLOW = 901, OTHER, "The order's numbers do not fit; nothing was changed.";
    GATEWAY_BUSY = 902, OTHER, "More orders than the gateway, or the way to the venue, takes in time; the order was not taken. Cancels still pass.";
}

reasons! { PEOPLE:
    UNKNOWN_SCOPE = 950, OTHER, "The scope does not exist.";
    NOT_HALTED = 951, OTHER, "The scope is not halted; nothing to reinstate.";
    TRIP_SUPERSEDED = 952, OTHER, "The scope was halted again since; propose anew, naming the newest trip.";
    SAME_PERSON = 953, OTHER, "The person who proposed a change may not approve it.";
    UNKNOWN_PROPOSAL = 954, OTHER, "No such proposal: it expired, was carried out, was overtaken by a later change, or never was.";
    NEEDS_APPROVAL = 955, OTHER, "This loosens a limit: propose it, and let a second person approve.";
    LIMIT_NOT_SETTABLE_HERE = 956, OTHER, "This limit cannot be set at a scope of this kind.";
    BAD_VALUE = 957, OTHER, "The value is out of range: limits are zero or more, windows and ratios more than zero.";
    BAD_REFERENCE_DATA = 958, OTHER, "Tick, lot and multiplier must be positive, names unique, currencies defined and quantities in range.";
    BAD_ACTION = 960, OTHER, "The limit cannot have this action or be soft here: where no order is judged there is none to refuse.";
    HARD_LIMIT = 961, OTHER, "The limit is hard, or not set at this scope: it knows no override. Loosen it, or make it soft first.";
    LAPSED = 962, OTHER, "The time until which the change is to hold has passed; name a later one.";
    UNKNOWN_CURRENCY = 963, OTHER, "The currency is not configured.";
    BAD_FX_RATE = 964, OTHER, "A rate is more than zero: units of the base currency for one unit of the currency.";
    PARENT_EXISTS = 959, OTHER, "A parent of this id is registered with other content.";
}
