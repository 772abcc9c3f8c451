"""Shortens rattler's proof that there is no solution.

The proof is a tree drawn with box characters. Its leaves repeat one sentence for each version of a
package; they are dropped when they add nothing to the line above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_DRAWN = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<text>.*)$")
_EXHAUSTED = "which conflicts with the versions reported above."
_OPTION = re.compile(r"^\S+ [0-9]\S*( \| (?:\S+))*$")
_PHRASES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r",?( which)? cannot be installed because there are no viable options:", ""),
        (r",?( which)? can be installed with any of the following options:", ""),
        (r" would require$", " needs"),
        (r" would constrain$", " allows only"),
        (r",? which conflicts with any installable versions previously reported\.?$", ""),
        (r"^(.* )?(__\w+)( .*)?, for which no candidates were found\.?$", r"\1\2\3, undeclared"),
        (r",? for which no candidates were found\.?", ", which no channel has"),
        (r"No candidates were found for (.+?)\.?$", r"no channel has \1"),
        (
            r"(is|are) excluded because the package is uploaded after the cutoff date of ",
            "is newer than the cut-off ",
        ),
        (r"(is|are) excluded because ", "is not considered: "),
        (r" \*(?=,|$)", ""),
    )
)


@dataclass
class _Step:
    depth: int
    text: str
    below: list[_Step] = field(default_factory=list)


def tidy(text: str) -> list[str]:
    """Return a proof as indented lines without repetitions."""
    body = re.sub(r"^Cannot solve the request because of:\s*", "", text.strip())
    body = body.replace("The following packages are incompatible", "").strip("\n")
    root = _Step(-1, "")
    path = [root]
    for line in body.splitlines():
        if step := _step(line):
            while path[-1].depth >= step.depth:
                path.pop()
            path[-1].below.append(step)
            path.append(step)
    return list(dict.fromkeys(_lines(root, -1)))


def _step(line: str) -> _Step | None:
    match = _DRAWN.match(line)
    if match is None or not match["text"].strip():
        return None
    return _Step(len(match["indent"]), match["text"].strip())


def _lines(step: _Step, depth: int) -> list[str]:
    """Return a step and its children; a single child is joined with it."""
    below = [item for item in step.below if not _is_redundant(item)]
    text = _phrased(step.text)
    if text.endswith((" needs", " allows only")) and len(below) == 1:
        joined = _Step(step.depth, f"{text} {below[0].text}", below[0].below)
        return _lines(joined, depth)
    own = [f"{'  ' * depth}{text}"] if depth >= 0 else []
    return own + [line for item in below for line in _lines(item, depth + 1)]


def _is_redundant(step: _Step) -> bool:
    return not step.below and (step.text.endswith(_EXHAUSTED) or bool(_OPTION.match(step.text)))


def _phrased(text: str) -> str:
    for pattern, words in _PHRASES:
        text = pattern.sub(words, text)
    return text
