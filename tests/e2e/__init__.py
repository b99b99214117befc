"""Tests with every process real: exchange, gateway, routers, demo."""
