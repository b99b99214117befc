"""Simulated order routers: a fleet, its healthy and faulty behaviours, and the replay of 1 August 2012.

Where things are:

- ``behaviour``: what a router's code makes of a parent, healthy or Power Peg; the live fleet and the replay share it.
- ``knight/``: the morning itself: stocks, parents, healthy flow, the lines of defence, what a run leaves behind.
- ``replay/``: the morning in virtual time, on the embedded core, and its reports.
- ``demo/``: the morning live: exchange, gateway and fleet as processes, the screen and the card.
- the fleet: ``fleet`` starts one process per router (``router``, which runs a ``worker`` on a ``link``), gives each the
  code of its ``deployment``, and feeds them through the ``oms`` with the ``plan`` of a ``scenario``; a ``ledger`` counts.
- ``flood``: the native open-loop generator.
"""
