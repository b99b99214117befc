"""How the command line fails: one line that says what, where and how to mend it, and a documented exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes; those above 2 are the ones of BSD ``sysexits.h``, 130 is the shell's for an interrupt."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    BAD_INPUT = 64
    UNREACHABLE = 69
    INTERNAL = 70
    CANNOT_START = 71
    NOT_PERMITTED = 77
    INTERRUPTED = 130


class CliError(Exception):
    """Ends the command with one line on standard error."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code
