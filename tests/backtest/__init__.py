"""Recorded order flow."""
