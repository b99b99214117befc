"""Who an operator is, from their token, and what their role may do."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.config import Operator

_SCHEME: Final = "bearer "

_RANK: Final = {"view": 0, "halt": 1, "risk": 2}


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated operator."""

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Whether the operator's role includes another: ``risk`` includes ``halt``, ``halt`` includes ``view``."""
        return _RANK[self.role] >= _RANK[role]


class Operators:
    """The configured operators, kept by the digests of their tokens."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._known = [(_digest(operator.token), Principal(operator.name, operator.role)) for operator in operators]

    def authenticate(self, metadata: Iterable[tuple[str, str | bytes]]) -> Principal | None:
        """The operator whose token the call's metadata carry as ``authorization: Bearer <token>``, or nobody.

        Every known digest is compared, each in constant time, so that the time tells nothing about any token.
        """
        given = [value for key, value in metadata if key == "authorization"]
        if len(given) != 1 or not isinstance(given[0], str) or not given[0].lower().startswith(_SCHEME):
            return None
        digest = _digest(given[0][len(_SCHEME) :])
        found = None
        for known, principal in self._known:
            if hmac.compare_digest(known, digest):
                found = principal
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
