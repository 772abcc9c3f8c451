"""A fleet as one self-contained HTML page: the matrix, and every host, filtered and by class."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from freezer.errors import printable
from freezer.model.record.word import Word
from freezer.output.fleet.report import factor_text
from freezer.output.pages import inline_hash, inline_json, page_asset, render_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.fleet.matrix import Group, Row
    from freezer.fleet.state import State
    from freezer.flows.fleet.gather import Fleet

_BAD: Final = (Word.DRIFTED, Word.FAILED)


def page(fleet: Fleet) -> str:
    """Return the page; the same fleet gives the same bytes."""
    script = f"(() => {{\n'use strict';\n{page_asset('fleet/page.js')}}})();\n"
    style = page_asset("fleet/page.css")
    good = sum(row.state.good for row in fleet.rows)
    started = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(fleet.request.created))
    return render_page(
        "fleet/page.html.j2",
        title=f"Fleet {fleet.id}",
        subtitle=f"{printable(fleet.request.target)}, {started}: {good} of {len(fleet.rows)} good",
        script=Markup(script),  # noqa: S704 - ours, and in the policy by its digest
        script_hash=inline_hash(script),
        style=Markup(style),  # noqa: S704 - ours as well
        style_hash=inline_hash(style),
        data=inline_json(_document(fleet)),
    )


def _document(fleet: Fleet) -> dict[str, Any]:
    groups = fleet.groups
    known: dict[tuple[tuple[str, str], ...], int] = {}
    hosts = [_host(row, known) for group in groups for row in group.rows]
    return {
        "states": _states([row for group in groups for row in group.rows]),
        "groups": [_group(one) for one in groups],
        "hosts": hosts,
        "facts": [[[printable(text) for text in pair] for pair in facts] for facts in known],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "environment": group.environment,
        "class": group.class_,
        "hosts": len(group.rows),
        "states": _states(group.rows),
        "factors": [printable(factor_text(one)) for one in group.factors],
    }


def _host(row: Row, known: dict[tuple[tuple[str, str], ...], int]) -> dict[str, Any]:
    """Return a host; equal facts of hosts are on the page once."""
    facts, first = tuple(sorted(row.facts.items())), row.difference
    return {
        "name": row.host,
        "environment": row.environment,
        "class": row.class_,
        "title": row.state.title,
        "look": _look(row.state),
        "reason": printable(row.state.reason),
        "first": printable(f"expected {first.expected}, found {first.found}") if first else "",
        "causes": [printable(f"likely cause: {cause}") for cause in row.causes],
        "facts": known.setdefault(facts, len(known)) if facts else -1,
    }


def _states(rows: Iterable[Row]) -> list[list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.state.title, [row.state.title, 0, _look(row.state)])[1] += 1
    return sorted(found.values(), key=lambda one: -one[1])


def _look(state: State) -> str:
    if state.good:
        return "good"
    return "soft" if state.waiting else "bad" if state.word in _BAD else "fair"
