"""Tests of the benches: that they run, and that they report what they found."""
