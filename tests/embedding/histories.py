"""Random histories: which steps, with which numbers, under which limits."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.embedding.desk import CENT, SECOND, USD
from tests.embedding.history import ACCOUNTS, PARENTS, ROUTERS

SYMBOLS = ("AAPL", "ES")
ORDERS = ("reject", "halt", "cancel_only", "reduce_only", "shadow", "notify")
EVENTS = ("halt", "cancel_only", "reduce_only", "shadow")
ANY = ["firm", "account:ACC1", "account:*", "router:r1", "router:*", "strategy:S1", "symbol:AAPL"]
CELLS = ["symbol:AAPL", "symbol:*", "account_symbol:ACC1/AAPL", "account_symbol:*", "router_symbol:r1/AAPL"]
MONEY = [30_000 * USD, 80_000 * USD, 200_000 * USD]
LOSSES = [50 * USD, 400 * USD, 3_000 * USD]
COUNTS = [1, 2, 3, 5]

MENU: list[tuple[list[str], str, list[int], tuple[str, ...]]] = [
    ([*ANY, *CELLS], "max_order_qty", [50, 100, 150], ORDERS),
    ([*ANY, *CELLS], "max_order_notional", [5_000 * USD, 12_000 * USD], ORDERS),
    ([*ANY, *CELLS], "max_order_adv_bps", [100, 300], ORDERS),
    (["firm", "account:ACC1", "router:r1", "symbol:AAPL"], "price_collar_bps", [50, 300], ORDERS),
    (["firm", "account:ACC1", "router:r1", "symbol:AAPL"], "price_collar_auction_bps", [20, 600], ORDERS),
    (["firm", "account:ACC1", "router:r1", "symbol:AAPL"], "price_collar_passive_bps", [100, 400], ORDERS),
    (["symbol:*", "symbol:AAPL"], "market_data_max_age", [20 * SECOND, 300 * SECOND], ORDERS),
    (CELLS, "own_drift_bps", [10, 100, 300], ORDERS),
    (["account_symbol:ACC1/AAPL", "account_symbol:*"], "short_locate", [50, 200, 400], ORDERS),
    (CELLS, "max_long_position", [100, 250], ORDERS),
    (CELLS, "max_short_position", [0, 100, 250], ORDERS),
    ([*ANY, *CELLS], "max_open_orders", COUNTS, ORDERS),
    (CELLS, "max_open_qty", [100, 250], ORDERS),
    ([*ANY, *CELLS], "max_open_notional", MONEY, ORDERS),
    (["firm", "account:*", "router:r1", "router:*"], "max_gross_notional", MONEY, ORDERS),
    (["symbol:AAPL", "account_symbol:ACC1/AAPL"], "max_concentration_bps", [0, 3_000, 8_000], ORDERS),
    (ANY, "max_notional_velocity", MONEY, ORDERS),
    (ANY, "max_turnover_day", MONEY, ORDERS),
    (["router:*", "router:r1"], "parent_overfill_halt_after", COUNTS, EVENTS),
    (["firm", "account:*", "router:r1", *CELLS], "max_excess_leaving_bps", [0, 1_000, 20_000], ORDERS),
    (["firm", "router:r1", "account:*", *CELLS], "max_children_factor", [1, 2], ORDERS),
    (["firm", "router:r1", *CELLS], "min_child_qty", [100, 200], ()),
    (["firm", "router:r1", "account:*", *CELLS], "unparented_allowance_qty", [100, 300], ()),
    (["router:r1", "router:*", "strategy:S1", "router_symbol:r1/AAPL"], "max_repeated_executions", COUNTS, ORDERS),
    (["firm", "router:*", "router:r1"], "max_unacknowledged", COUNTS, ORDERS),
    (["router:*", "router:r1"], "max_unacknowledged_age", [SECOND, 30 * SECOND], EVENTS),
    (["firm", "account:ACC1", "router:r1", *CELLS], "max_day_loss", LOSSES, EVENTS),
    (["firm", "account:ACC1", "router:r1", *CELLS], "max_drawdown", LOSSES, EVENTS),
    ([*ANY, *CELLS], "max_execution_loss", [0, *LOSSES], EVENTS),
    (ANY, "max_unmatched_notional", [0, *MONEY], EVENTS),
]
"""Where, which, values that a history reaches, and what a breach may do."""

ONE_SIDED = [(ANY, "max_turnover_window", [10**9 * USD], ("shadow",))]
"""Those that the model knows from one side alone: seen, never met."""

FORGETFUL: list[tuple[list[str], str, list[int], tuple[str, ...]]] = [
    (ANY, "message_rate", COUNTS, ORDERS),
    (ANY, "message_burst", COUNTS, ORDERS),
    (["router:*", "router:r1"], "duplicate_orders", COUNTS, ORDERS),
    (["router:*", "router:r1"], "duplicate_orders_halt", COUNTS, ORDERS),
    (["router:*", "router:r1"], "max_rejects", COUNTS, EVENTS),
]
"""Those that remember only as many events as they bound: raised, they would not know of what they refused before."""

QTY = st.sampled_from([*[10, 50, 100, 100, 100, 200, 400] * 5, 15, 0, -10])
PRICE = st.one_of(
    st.sampled_from([100 * USD, 100 * USD + CENT, 99 * USD, 101 * USD]),
    st.integers(9_000, 11_000).map(lambda cents: cents * CENT),
)
FILL_PRICE = st.integers(9_500, 10_500).map(lambda cents: cents * CENT)
PICK = st.integers(0, 2**16)
SPAN = st.sampled_from(
    [1, SECOND // 10, SECOND, SECOND, 9 * SECOND, 20 * SECOND, 70 * SECOND, 300 * SECOND, 2_400 * SECOND]
)
SYMBOL = st.sampled_from(SYMBOLS)
SCOPE = st.sampled_from(["firm", "account:ACC1", "router:r1", "strategy:S1", "symbol:AAPL", "account_symbol:ACC1/AAPL"])


def own_order() -> st.SearchStrategy[dict[str, object]]:
    """Of the account that trades for itself."""
    return st.fixed_dictionaries(
        {
            "router": st.sampled_from(ROUTERS),
            "account": st.just(ACCOUNTS[0]),
            "symbol": SYMBOL,
            "strategy": st.sampled_from([None, "S1"]),
            "parent": st.none(),
            "side": st.sampled_from(["buy", "buy", "buy", "sell", "short", "exempt"]),
            "qty": QTY,
            "price": st.one_of(*[PRICE] * 8, st.none(), st.none(), st.sampled_from([-CENT, CENT // 2])),
            "rests": st.sampled_from([True, True, False]),
        }
    )


def child(parent: str) -> st.SearchStrategy[dict[str, object]]:
    """Of a client's order, mostly as it should be."""
    symbol, side, _ = PARENTS[parent]
    return st.fixed_dictionaries(
        {
            "router": st.sampled_from(ROUTERS),
            "account": st.just("CLIENT"),
            "symbol": st.sampled_from([symbol] * 19 + ["AAPL"]),
            "strategy": st.sampled_from([None, "S1"]),
            "parent": st.sampled_from([parent] * 19 + [None]),
            "side": st.sampled_from([side if side == "buy" else "short"] * 18 + ["buy", "sell"]),
            "qty": QTY,
            "price": st.one_of(PRICE, PRICE, PRICE, st.none()),
            "rests": st.booleans(),
        }
    )


def limit(menu: list[tuple[list[str], str, list[int], tuple[str, ...]]]) -> st.SearchStrategy[dict[str, object]]:
    """One limit of the menu, somewhere."""
    return st.sampled_from(menu).flatmap(
        lambda line: st.fixed_dictionaries(
            {
                "target": st.sampled_from(line[0]),
                "name": st.just(line[1]),
                "value": st.sampled_from(line[2]),
                "action": st.sampled_from(["", *line[3][:1] * 6, *line[3]]).map(lambda action: action or None),
            }
        )
    )


def step(name: str, **arguments: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[str, dict[str, object]]]:
    """A step by its name."""
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


ORDER = st.one_of(own_order(), own_order(), *[child(parent) for parent in PARENTS]).map(lambda order: ("order", order))

STEPS: list[tuple[int, st.SearchStrategy[tuple[str, dict[str, object]]]]] = [
    (24, ORDER),
    (3, step("cancel", n=PICK)),
    (6, step("replace", n=PICK, qty=QTY, price=PRICE)),
    (6, step("acknowledge", n=PICK)),
    (8, step("fill", n=PICK, qty=st.sampled_from([None, None, 10, 50, 100, 300]), price=FILL_PRICE)),
    (2, step("bust", n=PICK)),
    (4, step("gone", n=PICK, refused=st.booleans())),
    (1, step("cancel_refused", n=PICK)),
    (4, step("replace_answered", n=PICK, refused=st.booleans())),
    (5, step("quote", symbol=SYMBOL, bid=FILL_PRICE, spread=st.integers(-1, 50))),
    (6, step("pause", span=SPAN)),
    (
        1,
        step(
            "phase",
            symbol=SYMBOL,
            phase=st.sampled_from(["continuous"] * 6 + ["auction", "auction", "closed", "halted"]),
        ),
    ),
    (1, step("halt", scope=SCOPE, state=st.sampled_from(["REDUCE_ONLY", "CANCEL_ONLY", "HALTED"]))),
    (8, step("reinstate", n=PICK)),
    (3, limit(MENU).map(lambda setting: ("limit", setting))),
    (1, step("amend_parent", parent=st.sampled_from(list(PARENTS)), qty=st.sampled_from([50, 600, 1_000, 2_000]))),
    (1, step("close_parent", parent=st.sampled_from([*PARENTS]), times=st.sampled_from([0, 0, 0, 1]))),
]
"""With their weights."""

STEP = st.sampled_from([strategy for weight, strategy in STEPS for _ in range(weight)]).flatmap(
    lambda strategy: strategy
)
LIMITS = st.lists(
    limit([*MENU, *FORGETFUL, *ONE_SIDED]).map(lambda one: (one["target"], one["name"], one["value"], one["action"])),
    max_size=6,
    unique_by=lambda one: one[:2],
)
QUOTED = st.sampled_from([SYMBOLS, SYMBOLS, SYMBOLS, SYMBOLS[:1]])
"""Which instruments have a price from the start; the other one has the mark of a position that was brought into the day."""


def histories(longest: int) -> st.SearchStrategy[list[tuple[str, dict[str, object]]]]:
    """Of any length up to this."""
    return st.integers(1, longest).flatmap(lambda n: st.lists(STEP, min_size=n, max_size=n))
