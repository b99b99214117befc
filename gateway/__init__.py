"""The control plane of riskgate: configuration, operators' service, metrics, command line and the routers' client.

No order passes through here. Orders run on native threads (``riskcore.DataPlane``); this package sets them up,
watches them and talks to people.
"""
