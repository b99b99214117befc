"""``riskgate manifest``: what the fleet must run, signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.errors import CliError, ExitCode
from gateway.fleet import keys, signing
from gateway.fleet.difference import differences
from gateway.fleet.manifest import Manifest, read_signed, read_unsigned
from gateway.problems import ConfigError

app = typer.Typer()

ManifestArgument = Annotated[Path, typer.Argument(help="The manifest.")]


@app.command()
def keygen(
    out: Annotated[Path, typer.Option(help="Name of the new files: OUT.key and OUT.pub.")] = Path("deploy"),
) -> None:
    """Make a pair of keys. OUT.key signs and stays with the deploying pipeline; gateways get OUT.pub."""
    private, public = out.with_name(out.name + ".key"), out.with_name(out.name + ".pub")
    with _told():
        name = keys.generate(private, public)
    typer.echo(f"key {name}: {private} signs and stays secret, {public} is for [fleet] public_keys")


@app.command()
def sign(
    manifest: Annotated[Path, typer.Argument(help="The manifest, as TOML.")],
    key: Annotated[Path, typer.Option(help="The private key of the pipeline.")],
    out: Annotated[Path, typer.Option(help="The signed manifest to write, as JSON.")],
    documents: Annotated[
        Path | None, typer.Option(help="Directory for the document of each router, to be left on its server.")
    ] = None,
) -> None:
    """Sign a manifest, and write what each router presents at logon."""
    with _told():
        signed = signing.sign(read_unsigned(manifest), keys.read_private(key))
        _write(out, signed.text())
        written = [] if documents is None else signing.write_documents(signed, documents)
    routers = len(signed.manifest.by_router())
    typer.echo(f"{out}: signed for {routers} router{'s' * (routers > 1)} with key {signed.signatures[0].key}")
    for file in written:
        typer.echo(f"{file}: the document of {file.stem}")


@app.command()
def verify(
    manifest: ManifestArgument,
    key: Annotated[list[Path], typer.Option(help="A public key that may sign; may be repeated.")],
) -> None:
    """Check that a manifest is signed by one of the keys and was not changed since; exit code 64 if not."""
    with _told():
        signed = signing.verify(manifest, key)
    signers = ", ".join(signature.key for signature in signed.signatures)
    typer.echo(f"{manifest}: good, signed by {signers}, for {', '.join(signed.manifest.by_router())}")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A manifest, signed or not.")],
    new: Annotated[Path, typer.Argument(help="Another one.")],
) -> None:
    """Show what two manifests do not agree on; exit code 1 if there is anything. Signatures are not looked at."""
    with _told():
        lines = list(differences(_read(old), _read(new)))
    for line in lines:
        typer.echo(line)
    if lines:
        raise typer.Exit(ExitCode.REFUSED)
    typer.echo("no difference")


def _read(file: Path) -> Manifest:
    return read_unsigned(file) if file.suffix == ".toml" else read_signed(file).manifest


def _write(file: Path, text: str) -> None:
    """In one step, so that a gateway reads all of it or the old one."""
    part = file.with_name(file.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a file, in lines and an exit code."""
    try:
        yield
    except ConfigError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    except keys.KeyFileError as error:
        raise CliError(str(error), ExitCode.BAD_INPUT) from error
    except OSError as error:
        what = f"{error.filename} cannot be written ({error.strerror}); check the directory"
        raise CliError(what, ExitCode.CANNOT_START) from error
