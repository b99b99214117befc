"""How the client fails. ``ClientError`` is the base of all of it."""


class ClientError(Exception):
    """Base of every error of this package."""


class NotConnectedError(ClientError):
    """There is no session; nothing was sent. Wait for ``Connected`` (or ``ready()``) and decide anew."""


class BackpressureError(ClientError):
    """More is waiting to be written than the client holds; nothing was sent. Await ``ready()`` first."""


class LogonRefusedError(ClientError):
    """The gateway refused the logon for good: wrong token, unknown router, other contract."""


class SessionLostError(ClientError):
    """The stream ended; internal to the client's reconnecting."""
