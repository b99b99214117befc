"""What the fleet must run: the manifest, its signatures, and the documents that a deployment leaves on each server.

Nothing here is on the way of an order or of a logon: a manifest is read and verified before the gateway starts, and the
data plane compares plain values.
"""
