"""What two manifests do not agree on."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.fleet.attributes import flat
from gateway.fleet.flags import Flag
from gateway.fleet.manifest import Entry, Manifest


def differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """One line for each router's attribute and each flag that differs; nothing for equal manifests.

    Signatures are left out: they differ whenever anything does, and with every key.
    """
    before, after = old.by_router(), new.by_router()
    for router in sorted(before.keys() | after.keys()):
        if router not in after:
            yield f"{router}: is not in the new manifest"
        elif router not in before:
            yield f"{router}: is new"
        else:
            yield from _entry(router, before[router], after[router])
    yield from _flags(old.flags, new.flags)


def _entry(router: str, old: Entry, new: Entry) -> Iterator[str]:
    before, after = old.said(), new.said()
    for name in Entry.model_fields:
        was, becomes = before.get(name), after.get(name)
        if was != becomes:
            yield f"{router}: {name}: {_shown(was)} -> {_shown(becomes)}"


def _flags(old: tuple[Flag, ...], new: tuple[Flag, ...]) -> Iterator[str]:
    before = {(flag.bit, flag.name, flag.version): flag for flag in old}
    after = {(flag.bit, flag.name, flag.version): flag for flag in new}
    for key in sorted(before.keys() | after.keys()):
        label = f"flag {key[1]} {key[2]} (bit {key[0]})"
        if key not in after:
            yield f"{label}: is not in the new manifest"
        elif key not in before:
            yield f"{label}: is new"
        elif before[key] != after[key]:
            yield f"{label}: its dates, owner or readers differ"


def _shown(value: str | dict[str, str] | None) -> str:
    return "not compared" if value is None else flat(value)
