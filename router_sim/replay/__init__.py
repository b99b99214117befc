"""An incident in virtual time: the event loop, both runs side by side, and the three ways to report them."""
