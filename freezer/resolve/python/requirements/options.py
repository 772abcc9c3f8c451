"""Options of requirements files."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from freezer.resolve.python.requirements.file import Line

_HASH = re.compile(r"(?P<algorithm>[a-z0-9]+):(?P<value>[0-9a-fA-F]+)\Z")


_MANY: Any = {"action": "append", "default": []}


def parse_options(line: Line) -> Namespace:
    """Return a line's options by their long names. Raises ``SpecError`` for unknown ones."""
    if not line.options:
        return _none()

    def refuse(message: str) -> NoReturn:
        raise SpecError(
            "an unknown option",
            where=line.where,
            found=redact(message),
            hint="remove it from the line",
        )

    parser = _parser()
    parser.error = refuse  # type: ignore[method-assign]
    return parser.parse_args(list(line.options))


@cache
def _none() -> Namespace:
    """Return the options of a line that has none, as most lines do; not to be changed."""
    return _parser().parse_args([])


@cache
def _parser() -> ArgumentParser:
    from argparse import ArgumentParser  # made once: that takes longer than to read a line

    parser = ArgumentParser(add_help=False, allow_abbrev=False, prog="")
    parser.add_argument("-r", "--requirement", **_MANY)
    parser.add_argument("-c", "--constraint", **_MANY)
    parser.add_argument("-e", "--editable", **_MANY)
    parser.add_argument("-i", "--index-url", "--pypi-url")
    parser.add_argument("--extra-index-url", **_MANY)
    parser.add_argument("-f", "--find-links", **_MANY)
    parser.add_argument("--no-binary", **_MANY)
    parser.add_argument("--hash", **_MANY)
    for name in ("--only-binary", "--trusted-host", "--use-feature"):
        parser.add_argument(name, **_MANY)
    for name in ("--config-settings", "--config-setting", "--global-option", "--install-option"):
        parser.add_argument(name, dest="build_settings", **_MANY)
    for name in ("--no-index", "--pre", "--prefer-binary", "--require-hashes"):
        parser.add_argument(name, action="store_true")
    return parser


def sha256_of(hashes: list[str], where: Where) -> tuple[str, ...]:
    """Return the SHA-256 values among ``--hash`` options.

    Raises ``SpecError`` when they are malformed or all of another algorithm: a hash that cannot be
    verified must not be ignored.
    """
    values = []
    for text in hashes:
        match = _HASH.match(text)
        if match is None or (match["algorithm"] == "sha256" and len(match["value"]) != 64):
            raise SpecError(
                "a malformed hash",
                where=where,
                found=text,
                expected="--hash=sha256:<64 hexadecimal digits>",
            )
        if match["algorithm"] == "sha256":
            values.append(match["value"].lower())
    if hashes and not values:
        raise SpecError(
            "no SHA-256 among the hashes",
            where=where,
            found=", ".join(text.partition(":")[0] for text in hashes),
            hint="add --hash=sha256:… (`pip hash FILE` prints it)",
        )
    return tuple(values)
