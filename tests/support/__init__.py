"""Helpers that tests import: ``from tests.support import ROOT``."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The directory of the project."""
