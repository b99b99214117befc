"""The simulated exchange: a venue to send orders to, with the faults a real one has.

It speaks `riskgate.v1.Exchange` and is a process of its own (`python -m exchange_sim`). It knows nothing of risk
checks: it does what it is told, as an exchange does.

One idea per file: `book` (price-time priority), `rlp` (hidden retail price improvement), `market` (the other
participants and how their prices give way), `trading` (phases and price bands), `venue` (an order's life), `gateways` (sequences, fencing, replay),
`server` and its streams, `faults` and `control` (how a test or a person makes it misbehave).
"""
