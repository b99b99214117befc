"""The order path beside other ways to walk it: baselines, cases, and what must hold of them."""
