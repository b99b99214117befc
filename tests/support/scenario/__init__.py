"""Scenario files (tests/scenarios/README.md) run through a running gateway."""
