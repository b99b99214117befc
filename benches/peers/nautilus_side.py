"""`nautilus_trader`'s risk engine with what it needs around it, and an execution engine that does nothing."""

from __future__ import annotations

import time

from nautilus_trader.cache.cache import Cache
from nautilus_trader.common.component import LiveClock, MessageBus
from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AccountType, OrderSide
from nautilus_trader.model.events import AccountState
from nautilus_trader.model.identifiers import AccountId, StrategyId, TraderId
from nautilus_trader.model.objects import AccountBalance, Money, Price, Quantity
from nautilus_trader.portfolio.portfolio import Portfolio
from nautilus_trader.risk.config import RiskEngineConfig
from nautilus_trader.risk.engine import RiskEngine
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from turns import Side, serve

TRADER = TraderId("BENCH-1")
STRATEGY = StrategyId("S-1")
FUNDS = Money(1e9, USD)


class Desk:
    """All that the risk engine needs around it."""

    def __init__(self) -> None:
        clock = LiveClock()
        bus = MessageBus(trader_id=TRADER, clock=clock)
        cache = Cache()
        portfolio = Portfolio(msgbus=bus, cache=cache, clock=clock)
        self.aapl = TestInstrumentProvider.equity(symbol="AAPL", venue="XNAS")
        limits = RiskEngineConfig(
            max_order_submit_rate="1000000/00:00:01", max_notional_per_order={str(self.aapl.id): 10_000_000}
        )
        self.engine = RiskEngine(portfolio=portfolio, msgbus=bus, cache=cache, clock=clock, config=limits)
        self.orders = OrderFactory(trader_id=TRADER, strategy_id=STRATEGY, clock=clock)
        self.sent: list[object] = []
        self.denied: list[object] = []
        bus.register(endpoint="ExecEngine.execute", handler=self.sent.append)
        bus.register(endpoint="ExecEngine.process", handler=self.denied.append)
        cache.add_instrument(self.aapl)
        portfolio.update_account(
            AccountState(
                account_id=AccountId("XNAS-1"),
                account_type=AccountType.CASH,
                base_currency=USD,
                reported=True,
                balances=[AccountBalance(FUNDS, Money(0, USD), FUNDS)],
                margins=[],
                info={},
                event_id=UUID4(),
                ts_event=0,
                ts_init=0,
            )
        )
        self.engine.start()

    def command(self, n: int) -> SubmitOrder:
        """An order, and the command that submits it. Buys: a cash account has nothing to sell."""
        order = self.orders.limit(
            self.aapl.id, OrderSide.BUY, Quantity.from_int(100 + n % 64), Price.from_str("100.00")
        )
        return SubmitOrder(trader_id=TRADER, strategy_id=STRATEGY, order=order, command_id=UUID4(), ts_init=0)

    def work(self, orders: int) -> int:
        """Commands that are built already."""
        commands = [self.command(n) for n in range(orders)]
        self.sent.clear()
        execute = self.engine.execute
        begin = time.thread_time_ns()
        for command in commands:
            execute(command)
        elapsed = time.thread_time_ns() - begin
        if self.denied or len(self.sent) != orders:
            raise RuntimeError(f"{len(self.denied)} orders were denied: {self.denied[:1]}")
        return elapsed


def main() -> None:
    """Takes turns."""
    ran = (
        "nautilus_trader 1.221.0: RiskEngine.execute with price, quantity, notional, balance and submit-rate checks; its orders "
        "and commands are built beforehand"
    )
    serve({"nautilus_trader, RiskEngine": Side(ran, Desk().work)})


if __name__ == "__main__":
    main()
