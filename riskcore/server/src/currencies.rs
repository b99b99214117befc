//! What currencies are worth, as operators see and change it.

use riskcore::ids::CurrencyId;
use riskcore::units::Rate;

use crate::plane::Plane;
use crate::sentence::decimal;

impl Plane {
    /// What a change of a rate does, in words.
    pub(crate) fn describe_rate(&self, currency: CurrencyId, rate: Rate) -> String {
        format!("value {} at {}", self.names().currencies.name(currency.0), decimal(rate.0.into()))
    }
}
