"""Recorded order flow through the risk core: what would have been stopped, when, why, and how close each limit came.

``open_flow`` reads a file, ``prepare`` fits limits to it, ``backtest`` runs it; ``gateway.cli.backtest`` puts them
together. Nothing here is on the path of a live order. docs/reference/backtest.md describes inputs, mapping and report.
"""

from gateway.backtest.flow import Cancel, Fill, Flow, FlowError, New, Party, Quote, Replace, Step, Summary
from gateway.backtest.open_flow import open_flow
from gateway.backtest.plan import Instrument, Plan, default_limits, prepare
from gateway.backtest.report import Closeness, Report, Seen, Stop
from gateway.backtest.report_json import as_json
from gateway.backtest.report_text import render
from gateway.backtest.run import backtest

__all__ = [
    "Cancel",
    "Closeness",
    "Fill",
    "Flow",
    "FlowError",
    "Instrument",
    "New",
    "Party",
    "Plan",
    "Quote",
    "Replace",
    "Report",
    "Seen",
    "Step",
    "Stop",
    "Summary",
    "as_json",
    "backtest",
    "default_limits",
    "open_flow",
    "prepare",
    "render",
]
