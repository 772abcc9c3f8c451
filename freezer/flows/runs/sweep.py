"""`freeze run --each`: one run for each combination of values."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from freezer.errors import RunError
from freezer.flows.runs.request import read_assignment, require_distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.flows.runs.request import RunRequest

MOST: Final = 10_000
"""Runs of one sweep."""
LAST_SEED: Final = 2**63 - 1
"""The greatest seed: databases and generators take 64-bit integers."""
_FORMS: Final = "NAME=FIRST..LAST or NAME=VALUE,VALUE"
_RANGE: Final = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)")


def read_each(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each parameter, given as ``seed=1..5`` or ``lr=0.1,0.01``.

    Raises ``RunError`` for anything else, and for more combinations than ``MOST``.
    """
    found: dict[str, list[str]] = {}
    count = 1
    for word in words:
        name, text = read_assignment(word, "the values of a sweep", _FORMS)
        values = _values(text)
        if not values:
            raise RunError("a sweep has no values", found=word, expected=_FORMS)
        require_distinct(name, found)
        if name == "seed" and not all(map(_is_seed, values)):
            raise RunError("a seed is a whole number from 0 to 2^63 - 1", found=word)
        found[name] = values
        count *= len(values)
        if count > MOST:
            raise _too_many(" ".join(words))
    return found


def requests(request: RunRequest, each: Mapping[str, Sequence[str]]) -> Iterator[RunRequest]:
    """Yield a request for each combination, the last parameter changing fastest.

    An output folder gets a numbered folder for each. Raises ``RunError`` for a name that is given
    as a parameter as well.
    """
    both = [name for name in each if name in request.params]
    for name in each:
        require_distinct(name, request.params.keys() - each.keys())
    if both or ("seed" in each and request.seed is not None):
        raise RunError(
            "a value is given once, and for a sweep as well",
            found=", ".join(both) or "--seed",
            expected="one of the two",
        )
    for number, values in enumerate(itertools.product(*each.values()), 1):
        chosen = dict(zip(each, values, strict=True))
        seed = chosen.pop("seed", request.seed)
        output = request.output / str(number) if request.output and each else request.output
        yield replace(
            request,
            params={**request.params, **chosen},
            seed=None if seed is None else int(seed),
            output=output,
        )


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LAST_SEED


def _values(text: str) -> list[str]:
    if match := _RANGE.fullmatch(text):
        first, last = int(match[1]), int(match[2])
        if abs(last - first) >= MOST:
            raise _too_many(text)
        step = 1 if last >= first else -1
        return [str(one) for one in range(first, last + step, step)]
    return [part for part in text.split(",") if part]


def _too_many(text: str) -> RunError:
    return RunError(
        f"a sweep of more than {MOST:,} runs",
        found=text,
        expected=f"at most {MOST:,}",
        hint="divide it into several sweeps",
    )
