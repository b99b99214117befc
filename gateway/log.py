"""Structured logs on standard error: one JSON object a line, or readable text on a terminal."""

import logging
import sys
from typing import Literal

import structlog

Format = Literal["auto", "json", "text"]


def configure_logs(form: Format = "auto") -> None:
    """Set structlog up for the process; ``auto`` is text on a terminal and JSON elsewhere."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """The process's logger."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
