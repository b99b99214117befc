//! What currencies are worth, as operators see and change it.

use riskcore::events::Change;
use riskcore::ids::CurrencyId;
use riskcore::units::Rate;

use crate::admin::unknown;
use crate::commands::clipped;
use crate::error::Error;
use crate::plane::Plane;
use crate::proto;
use crate::sentence::decimal;

impl Plane {
    pub(crate) fn list_fx_rates(&self) -> proto::ListFxRatesResponse {
        let (state, now) = (self.engine.state(), self.now());
        let rates = state.currencies.iter().map(|currency| proto::CurrencyRate {
            currency: self.currency_name(currency).to_owned(),
            rate: state.currencies.rate(currency).map(|rate| rate.0),
            age: state.currencies.age(currency, now).map_or(0, |age| age.0.max(0) as u64),
        });
        proto::ListFxRatesResponse { rates: rates.collect(), base_currency: self.base_currency.clone() }
    }

    pub(crate) fn propose_fx_rate(
        &mut self,
        request: &proto::ProposeFxRateRequest,
        principal: &str,
    ) -> Result<proto::ProposeFxRateResponse, Error> {
        let currency = self.names().currency(&request.currency).known();
        let currency = currency.ok_or_else(|| unknown("currency", &request.currency))?;
        let change = Change::FxRate { currency, rate: Rate(request.rate) };
        let proposal_id = self.propose(change, clipped(principal), clipped(&request.reason))?;
        Ok(proto::ProposeFxRateResponse { proposal_id })
    }

    pub(crate) fn currency_name(&self, currency: CurrencyId) -> &str {
        self.names().currencies.name(currency.0)
    }

    /// What a change of a rate does, in words.
    pub(crate) fn describe_rate(&self, currency: CurrencyId, rate: Rate) -> String {
        format!("value {} at {}", self.currency_name(currency), decimal(rate.0.into()))
    }

    /// How old the rates are, seconds, where there is one.
    pub(crate) fn rate_ages(&self, out: &mut Vec<(String, u64)>) {
        let (state, now) = (self.engine.state(), self.now());
        for currency in state.currencies.iter() {
            let name = self.currency_name(currency);
            let age = state.currencies.age(currency, now);
            out.push((format!("fx_rate_known{{currency={name}}}"), u64::from(age.is_some())));
            if let Some(age) = age {
                out.push((format!("fx_rate_age_milliseconds{{currency={name}}}"), age.0.max(0) as u64 / 1_000_000));
            }
        }
    }
}
