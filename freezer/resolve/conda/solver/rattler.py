"""Solving a conda environment with rattler: indexes fetched, one question asked, records locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.resolve.conda.solver.answer import packages_of, undated_warning
from freezer.resolve.conda.solver.errors import explain
from freezer.resolve.conda.solver.indexes import ask_indexes, fetch_indexes
from freezer.resolve.conda.solver.interface import CondaResolution
from freezer.resolve.conda.solver.virtual_packages import solver_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.conda.repodata import Repodata
    from freezer.fetch.config import Config
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage
    from freezer.resolve.conda.solver.interface import CondaRequest, CondaRequirement

_NO_TIME = "has no timestamp"


def solve(
    request: CondaRequest, *, config: Config, store: Store, report: Reporter
) -> CondaResolution:
    """Return the packages that answer a request, by strict channel priority.

    Channels are as `freezer.fetch.conda.channels.read_channels` gives them, configuration included.
    Raises ``ResolveError`` saying why there is no answer, ``FetchError`` when a channel is out of
    reach.
    """
    del config  # the channels carry their addresses already
    indexes = fetch_indexes(request.channels, request.subdir, store=store, report=report)
    with report.task(f"Solving the conda environment for {request.subdir}"):
        answer = _answer(request, indexes, store)
    if "records" not in answer:
        raise explain(answer, request)
    packages = packages_of(answer["records"], request)
    return CondaResolution(packages, tuple(undated_warning(packages)))


def _answer(request: CondaRequest, indexes: Sequence[Repodata], store: Store) -> dict[str, Any]:
    """Ask; and where nothing of known age will do, ask again with packages of unknown age."""
    question = question_of(request)
    answer = ask_indexes(question, indexes, store)
    if _NO_TIME in answer.get("unsolved", ""):
        return ask_indexes({**question, "undated": True}, indexes, store)
    return answer


def question_of(request: CondaRequest) -> dict[str, Any]:
    """Return a request as the worker reads it; no address is in it."""
    return {
        "specs": [_spec(asked) for asked in request.specs],
        "constraints": list(request.constraints),
        "keep": [_kept(package) for package in request.keep.values()],
        "virtual": [solver_form(*item) for item in sorted(request.virtual_packages.items())],
        "as_of": request.as_of,
        "undated": False,
    }


def _spec(asked: CondaRequirement) -> dict[str, str | None]:
    text = asked.text if asked.channel is None else f"{asked.channel}::{asked.text}"
    return {"text": text, "bare": asked.text, "channel": asked.channel}


def _kept(package: CondaPackage) -> dict[str, Any]:
    return package.model_dump(
        mode="json",
        by_alias=False,
        exclude={"source", "url", "commit", "describe", "subdirectory", "reason"},
    )
