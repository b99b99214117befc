"""Tests of the simulators: the exchange, the fleet, the replay."""
