"""A TOML file that somebody wrote, with the line of each key, and pydantic's complaints in people's words."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gateway.problems import ConfigError, Path, Problem, closest, dotted
from gateway.toml_lines import key_lines
from gateway.units import TomlFloat

_MAX_BYTES: Final = 4 * 1024 * 1024


class Document:
    """The parsed file; makes problems that know their line."""

    def __init__(self, file: str, data: dict[str, Any], lines: Mapping[Path, int]) -> None:
        self.file = file
        self.data = data
        self._lines = lines

    def line(self, path: Path) -> int:
        """The line of a key, or of the nearest table around it; 0 if there is none."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 0)

    def problem(self, path: Path, what: str, mend: str) -> Problem:
        """A problem at a key."""
        return Problem(self.file, self.line(path), dotted(path), what, mend)


def read_document(file: FilePath) -> Document:
    """Read and parse a TOML file.

    Raises:
        ConfigError: it cannot be read, is larger than 4 MiB, or is not TOML.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise ConfigError([Problem(str(file), 0, "", what, "check the path")]) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([Problem(str(file), 0, "", "is larger than 4 MiB", "name a riskgate TOML file")])
    return parse_document(str(file), raw)


def parse_document(file: str, raw: bytes) -> Document:
    """Parse the bytes of a TOML file; ``file`` is its name in messages.

    Raises:
        ConfigError: not UTF-8 or not TOML.
    """
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, "", "is not UTF-8 text", "save it as UTF-8")]) from error
    try:
        data = tomllib.loads(text, parse_float=TomlFloat)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(file, text, str(error))]) from error
    except RecursionError as error:
        raise ConfigError([Problem(file, 0, "", "nests too deeply", "use plain tables")]) from error
    return Document(file, data, key_lines(text))


def _syntax(file: str, text: str, message: str) -> Problem:
    at = re.search(r"\(at line (\d+), column \d+\)", message)
    line = int(at.group(1)) if at else text.count("\n") + 1
    what = re.sub(r"\s*\(at .*\)$", "", message)
    return Problem(file, line, "", f"is not TOML: {what[0].lower()}{what[1:]}", "see https://toml.io for the syntax")


def model_problems(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[Problem]:
    """Each complaint of pydantic as a problem with its line and its mend."""
    for detail in error.errors(include_url=False):
        # A list whose only row is bad also counts as too short: the row's own complaint says it better.
        if detail["type"] != "too_short" or not detail["input"]:
            yield _problem(detail, model, document)


def _problem(detail: ErrorDetails, model: type[BaseModel], document: Document) -> Problem:
    path: Path = detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            owner = _model_at(model, path[:-1])
            mend = closest(str(path[-1]), list(owner.model_fields) if owner else [], noun="key")
            return document.problem(path, "unknown key", mend)
        case "missing":
            return document.problem(path, "is missing", f"add `{_example(model, path)}`")
        case "too_short":
            return document.problem(path, "is empty", f"add `{_example(model, path)}`")
        case "value_error":
            what, _, mend = str(detail["ctx"]["error"]).partition("; ")
            return document.problem(path, what, mend or f"for example `{_example(model, path)}`")
    message = detail["msg"].removeprefix("Input ")
    message = message[0].lower() + message[1:]
    return document.problem(path, f"is {_shown(detail['input'])}, but {message}", f"example: `{_example(model, path)}`")


def _shown(value: object) -> str:
    """The offending value, short; never a whole table (it may hold tokens)."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = repr(value) if isinstance(value, TomlFloat | int) else f'"{value}"'
    return text if len(text) <= 40 else text[:39] + '..."'


def _example(model: type[BaseModel], path: Path) -> str:
    """``key = value`` or ``[table]``, from the field's own example."""
    key = str(path[-1])
    owner = _model_at(model, path[:-1])
    field = owner.model_fields.get(key) if owner else None
    if field is None:
        return dotted(path)
    if _model_of(field) is not None:
        return f"[[{dotted(path)}]]" if "tuple" in str(field.annotation) else f"[{dotted(path)}]"
    example = (field.examples or ["..."])[0]
    if isinstance(example, bool):
        return f"{key} = {str(example).lower()}"
    if isinstance(example, list):
        return f"{key} = {example}".replace("'", '"')
    quoted = isinstance(example, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", example)
    return f'{key} = "{example}"' if quoted else f"{key} = {example}"


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that describes the table at a path."""
    at: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str):
            field = at.model_fields.get(part) if at else None
            at = _model_of(field) if field else None
    return at


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model a field holds, alone or in a tuple."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None
