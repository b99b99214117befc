"""``--without`` of ``demo`` and ``replay``: lines of defence to remove, so that the next one shows what it catches."""

from collections.abc import Iterable
from typing import Annotated

import typer

from gateway.cli.errors import CliError, ExitCode
from router_sim.defence import Profile
from router_sim.knight.limits import PROFILE

WithoutOption = Annotated[
    list[str] | None, typer.Option(help="Lines of defence or limits to remove, comma-separated or repeated.")
]


def removed(without: Iterable[str] | None, profile: Profile = PROFILE) -> tuple[str, ...]:
    """The names given.

    Raises:
        CliError: one of them is neither a line of defence of the profile nor a limit.
    """
    names = tuple(name.strip() for part in without or () for name in part.split(",") if name.strip())
    try:
        profile.defence(names)
    except ValueError as error:
        raise CliError(f"--without: {error}", ExitCode.BAD_INPUT) from error
    return names
