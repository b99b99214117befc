"""The morning of 1 August 2012 as a fixed table: which stocks, which parent orders, which routers, which limits."""
