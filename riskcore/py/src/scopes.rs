//! Scopes as text: `firm`, `account:ACC1`, `account_symbol:ACC1/AAPL`; `router:*` is the default of its kind.

use riskcore::ids::Ref;
use riskcore::limits::LimitTarget;
use riskcore::names::Names;
use riskcore::scopes::{Scope, ScopeKind};

use crate::errors::Error;

/// The scope, or the default of a kind, that a text names.
pub fn parse_target(text: &str, names: &Names) -> Result<LimitTarget, Error> {
    match text.split_once(':') {
        Some((kind, "*")) => parse_kind(kind, text).map(LimitTarget::Default),
        _ => parse_scope(text, names).map(LimitTarget::Scope),
    }
}

/// The scope that a text names.
pub fn parse_scope(text: &str, names: &Names) -> Result<Scope, Error> {
    if text == "firm" {
        return Ok(Scope::Firm);
    }
    let Some((kind, name)) = text.split_once(':') else {
        return Err(wrong(text, "write firm, or kind:name as in router:smars-1"));
    };
    let pair = || name.split_once('/').ok_or_else(|| wrong(text, "a pair needs two names, as in ACC1/AAPL"));
    let account = |name: &str| known(text, "account", name, names.account(name));
    let router = |name: &str| known(text, "router", name, names.router(name));
    let symbol = |name: &str| known(text, "symbol", name, names.symbol(name));
    Ok(match parse_kind(kind, text)? {
        ScopeKind::Firm => return Err(wrong(text, "there is one firm: write firm")),
        ScopeKind::Account => Scope::Account(account(name)?),
        ScopeKind::Router => Scope::Router(router(name)?),
        ScopeKind::Strategy => Scope::Strategy(known(text, "strategy", name, names.strategy(name))?),
        ScopeKind::Symbol => Scope::Symbol(symbol(name)?),
        ScopeKind::AccountSymbol => pair().and_then(|(a, s)| Ok(Scope::AccountSymbol(account(a)?, symbol(s)?)))?,
        ScopeKind::RouterSymbol => pair().and_then(|(r, s)| Ok(Scope::RouterSymbol(router(r)?, symbol(s)?)))?,
    })
}

fn parse_kind(kind: &str, text: &str) -> Result<ScopeKind, Error> {
    let found = ScopeKind::ALL.into_iter().find(|known| known.name() == kind);
    found.ok_or_else(|| {
        let kinds: Vec<&str> = ScopeKind::ALL.iter().map(|kind| kind.name()).collect();
        wrong(text, &format!("the kind is one of {}", kinds.join(", ")))
    })
}

fn known<T>(text: &str, kind: &str, name: &str, found: Ref<T>) -> Result<T, Error> {
    found.known().ok_or_else(|| wrong(text, &format!("no {kind} {name:?} is defined; call define_{kind} first")))
}

fn wrong(text: &str, mend: &str) -> Error {
    Error::Invalid(format!("scope {text:?}: {mend}"))
}

/// A scope as text.
pub fn render(scope: Scope, names: &Names) -> String {
    let kind = scope.kind().name();
    match scope {
        Scope::Firm => kind.to_owned(),
        Scope::Account(account) => format!("{kind}:{}", names.accounts.name(account.0)),
        Scope::Router(router) => format!("{kind}:{}", names.routers.name(router.0)),
        Scope::Strategy(strategy) => format!("{kind}:{}", names.strategies.name(strategy.0)),
        Scope::Symbol(symbol) => format!("{kind}:{}", names.symbols.name(symbol.0)),
        Scope::AccountSymbol(account, symbol) => {
            format!("{kind}:{}/{}", names.accounts.name(account.0), names.symbols.name(symbol.0))
        }
        Scope::RouterSymbol(router, symbol) => {
            format!("{kind}:{}/{}", names.routers.name(router.0), names.symbols.name(symbol.0))
        }
    }
}
