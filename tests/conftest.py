"""What every test may use. Helpers to import live in tests/support."""

from __future__ import annotations

import sys
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests.support import ROOT

# The same examples on every run and machine: a failure in CI is a failure here. No deadline: a busy machine is not a
# bug. Search wider by hand with --hypothesis-profile=wide, and keep what it finds as an explicit @example.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("wide", deadline=None, max_examples=10_000)
hypothesis.settings.load_profile("same")


# A gateway that runs in this process logs where pytest keeps it for failures, and never into what a command prints.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))


@pytest.fixture(scope="session")
def root() -> Path:
    """The directory of the project."""
    return ROOT
