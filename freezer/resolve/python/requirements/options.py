"""The options that may stand in a requirements file, and what Freezer makes of each."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, NoReturn

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from freezer.resolve.python.requirements.file import Line

_HASH = re.compile(r"(?P<algorithm>[a-z0-9]+):(?P<value>[0-9a-fA-F]+)\Z")


class _Parser(argparse.ArgumentParser):
    def __init__(self, where: Where) -> None:
        super().__init__(add_help=False, allow_abbrev=False, prog="")
        self._where = where

    def error(self, message: str) -> NoReturn:
        raise SpecError(
            "an option that requirements files do not have",
            where=self._where,
            found=redact(message),
            hint="remove it from the line",
        )


def parse_options(line: Line) -> argparse.Namespace:
    """Return a line's options by their long names. Raises ``SpecError`` for unknown ones."""
    parser = _Parser(line.where)
    many = {"action": "append", "default": []}
    parser.add_argument("-r", "--requirement", **many)  # type: ignore[arg-type]
    parser.add_argument("-c", "--constraint", **many)  # type: ignore[arg-type]
    parser.add_argument("-e", "--editable", **many)  # type: ignore[arg-type]
    parser.add_argument("-i", "--index-url", "--pypi-url")
    parser.add_argument("--extra-index-url", **many)  # type: ignore[arg-type]
    parser.add_argument("-f", "--find-links", **many)  # type: ignore[arg-type]
    parser.add_argument("--no-binary", **many)  # type: ignore[arg-type]
    parser.add_argument("--hash", **many)  # type: ignore[arg-type]
    for name in ("--only-binary", "--trusted-host", "--use-feature"):
        parser.add_argument(name, **many)  # type: ignore[arg-type]
    for name in ("--config-settings", "--config-setting", "--global-option", "--install-option"):
        parser.add_argument(name, dest="build_settings", **many)  # type: ignore[arg-type]
    for name in ("--no-index", "--pre", "--prefer-binary", "--require-hashes"):
        parser.add_argument(name, action="store_true")
    return parser.parse_args(list(line.options))


def sha256_of(hashes: list[str], where: Where) -> tuple[str, ...]:
    """Return the SHA-256 values among ``--hash`` options.

    Raises ``SpecError`` when they are malformed, or all of another algorithm: a hash that cannot be
    compared with anything must not be passed over.
    """
    values = []
    for text in hashes:
        match = _HASH.match(text)
        if match is None or (match["algorithm"] == "sha256" and len(match["value"]) != 64):
            raise SpecError(
                "a hash that cannot be read",
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
