//! Scopes as text: `firm`, `account:ACC1`, `router:smars-8`, `account_symbol:ACC1/AAPL`; `router:*` is the default of
//! its kind.

use riskcore::ids::Ref;
use riskcore::limits::LimitTarget;
use riskcore::names::Names;
use riskcore::scopes::{Scope, ScopeKind};

use crate::admin::unknown;
use crate::error::Error;
use crate::wire::responses::scope_names;

/// The scope, or the default of a kind, that a text names.
pub fn parse_target(text: &str, names: &Names) -> Result<LimitTarget, Error> {
    if let Some((kind, "*")) = text.split_once(':') {
        return Ok(LimitTarget::Default(parse_kind(kind, text)?));
    }
    parse_scope(text, names).map(LimitTarget::Scope)
}

/// The scope a text names.
pub fn parse_scope(text: &str, names: &Names) -> Result<Scope, Error> {
    if text == "firm" {
        return Ok(Scope::Firm);
    }
    let (kind, rest) = text
        .split_once(':')
        .ok_or_else(|| Error::Invalid(format!("scope {text:?}: write firm, or kind:name, as in router:smars-1")))?;
    let kind = parse_kind(kind, text)?;
    if kind == ScopeKind::Firm {
        return Err(Error::Invalid(format!("scope {text:?}: there is one firm; write firm")));
    }
    let (name, symbol) = rest.split_once('/').unwrap_or((rest, ""));
    resolve(kind, name, symbol, names)
}

fn parse_kind(kind: &str, text: &str) -> Result<ScopeKind, Error> {
    ScopeKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| {
        let known: Vec<&str> = ScopeKind::ALL.iter().map(|kind| kind.name()).collect();
        Error::Invalid(format!("scope {text:?}: kind {kind:?} is none of {}", known.join(", ")))
    })
}

/// The scope of a kind and its names.
pub fn resolve(kind: ScopeKind, name: &str, symbol: &str, names: &Names) -> Result<Scope, Error> {
    let is_pair = matches!(kind, ScopeKind::AccountSymbol | ScopeKind::RouterSymbol);
    if !is_pair && !symbol.is_empty() {
        return Err(Error::Invalid(format!("scope {}:{name}/{symbol}: only a pair has a second name", kind.name())));
    }
    let account = || names.account(name).known().ok_or_else(|| unknown("account", name));
    let router = || names.router(name).known().ok_or_else(|| unknown("router", name));
    let of_symbol = |name: &str| names.symbol(name).known().ok_or_else(|| unknown("symbol", name));
    Ok(match kind {
        ScopeKind::Firm => Scope::Firm,
        ScopeKind::Account => Scope::Account(account()?),
        ScopeKind::Router => Scope::Router(router()?),
        ScopeKind::Strategy => match names.strategy(name) {
            Ref::Known(strategy) => Scope::Strategy(strategy),
            Ref::Absent | Ref::Unknown => return Err(unknown("strategy", name)),
        },
        ScopeKind::Symbol => Scope::Symbol(of_symbol(name)?),
        ScopeKind::AccountSymbol => Scope::AccountSymbol(account()?, of_symbol(symbol)?),
        ScopeKind::RouterSymbol => Scope::RouterSymbol(router()?, of_symbol(symbol)?),
    })
}

/// A scope as text.
pub fn render(scope: Scope, names: &Names) -> String {
    let (name, symbol) = scope_names(scope, names);
    match scope.kind() {
        ScopeKind::Firm => "firm".to_owned(),
        kind if symbol.is_empty() => format!("{}:{name}", kind.name()),
        kind => format!("{}:{name}/{symbol}", kind.name()),
    }
}
