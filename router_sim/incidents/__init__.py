"""Incidents of other firms in virtual time: what they have in common, and one module for each."""
