//! Limits as people see and change them: listed, set, tried out, explained in words.

use riskcore::checks::{LIMIT_COUNT, LIMITS};
use riskcore::events::{Change, Event};
use riskcore::ids::{ClOrdId, RouterId};
use riskcore::limits::{Action, Judges, LimitId, LimitTarget, Setting};
use riskcore::outcome::{Outcome, Reject, Warning};
use riskcore::reasons;
use riskcore::scopes::{Scope, ScopeIx, ScopeKind};
use riskcore::units::Nanos;

use crate::admin::{kind_of, refused, unknown};
use crate::commands::clipped;
use crate::error::Error;
use crate::plane::{ALARMS_PER_TURN, Plane};
use crate::proto;
use crate::scope_text;
use crate::wire::responses::unit_name;

/// `LimitStatus.until` of a value that ends when the day rolls.
const DAY_END: u64 = 1;

impl Plane {
    pub(crate) fn list_limits(&self) -> proto::ListLimitsResponse {
        let state = self.engine.state();
        let mut limits = Vec::new();
        for id in (0..LIMIT_COUNT as u16).map(LimitId) {
            for kind in ScopeKind::ALL.into_iter().filter(|kind| *kind != ScopeKind::Firm) {
                if let Some(setting) = state.limits.defaults(kind).setting(id) {
                    let scope = proto::Scope { kind: kind as i32, ..proto::Scope::default() };
                    limits.push(self.limit_status(scope, LimitTarget::Default(kind), id, setting));
                }
            }
            for (ix, scope) in state.scopes.iter() {
                let own = state.limits.at(ix);
                if let Some(setting) = own.setting(id).filter(|_| own.is_own(id)) {
                    limits.push(self.limit_status(self.scope_message(scope), LimitTarget::Scope(scope), id, setting));
                }
            }
        }
        proto::ListLimitsResponse { limits, version: state.limits.version }
    }

    fn limit_status(
        &self,
        scope: proto::Scope,
        target: LimitTarget,
        id: LimitId,
        setting: Setting,
    ) -> proto::LimitStatus {
        let def = id.def();
        let temporary = self.engine.temporary().iter().find(|t| (t.target, t.limit) == (target, id));
        proto::LimitStatus {
            scope: Some(scope),
            is_default: matches!(target, LimitTarget::Default(_)),
            limit: def.name.to_owned(),
            value: setting.value.to_string(),
            unit: unit_name(def.unit).to_owned(),
            action: if def.judges == Judges::Nothing { "parameter" } else { setting.action.name() }.to_owned(),
            window_ms: 0,
            soft: setting.soft,
            until: temporary.map_or(0, |t| t.until.map_or(DAY_END, |until| until.0 as u64)),
            breaches: self.breaches_on_trial(target, id),
        }
    }

    /// What a limit on trial would have stopped today: at a scope, or at all scopes that take a kind's default.
    fn breaches_on_trial(&self, target: LimitTarget, id: LimitId) -> u64 {
        let state = self.engine.state();
        let counts = |ix: ScopeIx| match target {
            LimitTarget::Scope(scope) => state.scopes.at(ix) == scope,
            LimitTarget::Default(kind) => state.scopes.at(ix).kind() == kind && !state.limits.at(ix).is_own(id),
        };
        self.engine.trials().iter().filter(|t| t.limit == id && counts(t.ix)).map(|t| t.breaches).sum()
    }

    pub(crate) fn set_limit(
        &mut self,
        request: &proto::SetLimitRequest,
        principal: &str,
    ) -> Result<proto::SetLimitResponse, Error> {
        let target = match request.is_default {
            true => LimitTarget::Default(kind_of(request.scope.as_ref())?.0),
            false => LimitTarget::Scope(self.scope_of(request.scope.as_ref())?),
        };
        let limit = limit_named(&request.limit)?;
        let setting = self.asked_setting(target, limit, request)?;
        let until = (request.until != 0).then_some(Nanos(request.until as i64));
        if request.validate_only {
            return Ok(self.validate(target, limit, setting));
        }
        let principal = clipped(principal);
        let change = Change::Limit { target, limit, setting, until };
        self.doing = Some(format!("{principal}: {}", self.describe(&change)));
        let outcome = self.apply(&Event::SetLimit { target, limit, setting, principal: principal.clone() });
        self.doing = None;
        let answer = |plane: &Plane, proposal_id| proto::SetLimitResponse {
            applied: proposal_id == 0,
            proposal_id,
            version: plane.engine.state().limits.version,
            loosens: proposal_id != 0,
            breaches: Vec::new(),
        };
        match outcome {
            Outcome::Applied => Ok(answer(self, 0)),
            Outcome::Refused(reject) if reject.reason == &reasons::NEEDS_APPROVAL => {
                let proposal_id = self.propose(change, principal, clipped(&request.reason))?;
                Ok(answer(self, proposal_id))
            }
            other => Err(refused(&other)),
        }
    }

    /// What a request asks a limit to be. Without an action it keeps the one it has.
    fn asked_setting(
        &self,
        target: LimitTarget,
        limit: LimitId,
        request: &proto::SetLimitRequest,
    ) -> Result<Option<Setting>, Error> {
        let text = request.value.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let value = text.parse::<i128>().map_err(|_| {
            Error::Invalid(format!("value: {text:?} is not a whole number in the unit of {}", request.limit))
        })?;
        let action = match self.engine.setting_at(target, limit) {
            Some(now) if request.action.is_empty() => now.action,
            _ => action_named(limit, &request.action)?,
        };
        Ok(Some(Setting { value, action, soft: request.soft }))
    }

    /// What a change would do: whether it takes two people, and which scopes are beyond it already.
    fn validate(&self, target: LimitTarget, limit: LimitId, setting: Option<Setting>) -> proto::SetLimitResponse {
        let state = self.engine.state();
        let concerns = |ix: ScopeIx, scope: Scope| match target {
            LimitTarget::Scope(one) => one == scope,
            LimitTarget::Default(kind) => scope.kind() == kind && !state.limits.at(ix).is_own(limit),
        };
        let breach = |(ix, scope): (ScopeIx, Scope)| {
            let value = setting?.value;
            let used = self.engine.checks().used(limit, ix, state).filter(|used| *used > value)?;
            Some(proto::LimitBreach {
                scope: Some(self.scope_message(scope)),
                value: value.to_string(),
                used: used.to_string(),
                unit: unit_name(limit.def().unit).to_owned(),
            })
        };
        proto::SetLimitResponse {
            applied: false,
            proposal_id: 0,
            version: state.limits.version,
            loosens: self.engine.loosens(target, limit, setting),
            breaches: state.scopes.iter().filter(|(ix, scope)| concerns(*ix, *scope)).filter_map(breach).collect(),
        }
    }

    pub(crate) fn describe_limit(
        &self,
        target: LimitTarget,
        limit: LimitId,
        setting: Option<Setting>,
        until: Option<Nanos>,
    ) -> String {
        let scope = match target {
            LimitTarget::Scope(scope) => scope_text::render(scope, self.names()),
            LimitTarget::Default(kind) => format!("{}:*", kind.name()),
        };
        let name = limit.def().name;
        let Some(setting) = setting else { return format!("remove {name} of {scope}") };
        let action = if setting.action == limit.def().action { "" } else { setting.action.name() };
        let soft = if setting.soft { "soft" } else { "" };
        let how = [action, soft].into_iter().filter(|word| !word.is_empty()).map(|word| format!(" ({word})"));
        let for_how_long = until.map_or_else(String::new, |until| format!(" for {} s", self.seconds_until(until)));
        format!("set {name} of {scope} to {}{}{for_how_long}", setting.value, how.collect::<String>())
    }

    pub(crate) fn describe_override(
        &self,
        scope: Scope,
        limit: LimitId,
        up_to: i128,
        order: Option<(RouterId, ClOrdId)>,
        until: Nanos,
    ) -> String {
        let who = match &order {
            Some((router, id)) => format!("order {} of {}", id.as_str(), self.names().routers.name(router.0)),
            None => "orders".to_owned(),
        };
        let (name, scope) = (limit.def().name, scope_text::render(scope, self.names()));
        format!("let {who} pass {name} of {scope} up to {up_to} for {} s", self.seconds_until(until))
    }

    pub(crate) fn list_limit_overrides(&self) -> proto::ListLimitOverridesResponse {
        let state = self.engine.state();
        let in_force = self.engine.overrides().iter().filter(|granted| granted.until > self.now());
        let overrides = in_force.map(|granted| proto::LimitOverride {
            scope: Some(self.scope_message(state.scopes.at(granted.ix))),
            limit: granted.limit.def().name.to_owned(),
            up_to: granted.up_to.to_string(),
            unit: unit_name(granted.limit.def().unit).to_owned(),
            router: granted
                .order
                .map_or_else(String::new, |(router, _)| self.names().routers.name(router.0).to_owned()),
            cl_ord_id: granted.order.map_or_else(String::new, |(_, id)| id.as_str().to_owned()),
            until: granted.until.0 as u64,
            proposed_by: granted.people.0.clone(),
            approved_by: granted.people.1.clone(),
            used: granted.used,
        });
        proto::ListLimitOverridesResponse { overrides: overrides.collect() }
    }

    pub(crate) fn propose_limit_override(
        &mut self,
        request: &proto::ProposeLimitOverrideRequest,
        principal: &str,
    ) -> Result<proto::ProposeLimitOverrideResponse, Error> {
        let scope = self.scope_of(request.scope.as_ref())?;
        let limit = limit_named(&request.limit)?;
        let up_to = request.up_to.trim().parse::<i128>().map_err(|_| {
            Error::Invalid(format!("up_to: {:?} is not a whole number in the unit of {}", request.up_to, request.limit))
        })?;
        let order = self.only_order(&request.router, &request.cl_ord_id)?;
        let change = Change::Override { scope, limit, up_to, order, until: Nanos(request.until as i64) };
        let proposal_id = self.propose(change, clipped(principal), clipped(&request.reason))?;
        let expires = self.engine.proposals().iter().find(|proposal| proposal.id == proposal_id);
        let expires = expires.map_or(0, |proposal| proposal.expires.0 as u64);
        Ok(proto::ProposeLimitOverrideResponse { proposal_id, expires })
    }

    fn only_order(&self, router: &str, cl_ord_id: &str) -> Result<Option<(RouterId, ClOrdId)>, Error> {
        if router.is_empty() && cl_ord_id.is_empty() {
            return Ok(None);
        }
        let id = ClOrdId::new(cl_ord_id.as_bytes())
            .ok_or_else(|| Error::Invalid("cl_ord_id: 1 to 36 printable ASCII characters are needed".to_owned()))?;
        let router = self.names().router(router).known().ok_or_else(|| unknown("router", router))?;
        Ok(Some((router, id)))
    }

    fn seconds_until(&self, until: Nanos) -> i64 {
        until.since(self.now()).0 / 1_000_000_000
    }

    /// A limit that only notifies was broken.
    pub(crate) fn announce_breach(&mut self, limit: LimitId, reject: &Reject) {
        let scope = reject.scope.map_or_else(String::new, |scope| scope_text::render(scope, self.names()));
        let (name, unit) = (limit.def().name, unit_name(reject.unit));
        let text = format!("{scope} is beyond {name}: {} of {} {unit}; it only notifies", reject.value, reject.limit);
        self.announce_text_alarm(text);
    }

    /// A step of the warning ladder.
    pub(crate) fn announce_warning(&mut self, warning: &Warning) {
        self.counters.warnings += 1;
        // Half of what may be told at once is kept for alarms.
        if self.alarm_budget <= ALARMS_PER_TURN / 2 {
            return;
        }
        self.alarm_budget -= 1;
        let (name, unit) = (warning.limit.def().name, unit_name(warning.limit.def().unit));
        let scope = scope_text::render(warning.scope, self.names());
        let Warning { percent, used, bound, .. } = warning;
        let text = format!("{scope} has used {percent} % of {name}: {used} of {bound} {unit}");
        self.announce_at("warning", text, warning.scope);
    }
}

/// The limit of a name, or an error that lists the names there are.
pub(crate) fn limit_named(name: &str) -> Result<LimitId, Error> {
    LimitId::by_name(name).ok_or_else(|| {
        let known: Vec<&str> = LIMITS.iter().map(|def| def.name).collect();
        Error::Invalid(format!("limit {name:?} is none of {}", known.join(", ")))
    })
}

/// What a breach of a limit is to do; an empty name is the limit's own action.
pub(crate) fn action_named(limit: LimitId, name: &str) -> Result<Action, Error> {
    let def = limit.def();
    if name.is_empty() {
        return Ok(def.action);
    }
    Action::by_name(name).filter(|action| def.allows(*action)).ok_or_else(|| {
        let allowed: Vec<&str> =
            Action::ALL.iter().filter(|a| def.judges != Judges::Nothing && def.allows(**a)).map(|a| a.name()).collect();
        let allowed = if allowed.is_empty() { "none: it tunes another limit".to_owned() } else { allowed.join(", ") };
        Error::Invalid(format!("{}: action {name:?}: {} takes {allowed}", reasons::BAD_ACTION.name, def.name))
    })
}
