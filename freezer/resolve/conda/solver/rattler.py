"""Solves a conda environment with rattler: fetches indexes, runs the worker, locks records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.resolve.conda.solver.errors import explain
from freezer.resolve.conda.solver.indexes import ask_indexes, fetch_indexes
from freezer.resolve.conda.solver.interface import CondaResolution
from freezer.resolve.conda.solver.result import packages_of, undated_warning
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
    """Return the packages that satisfy a request, by strict channel priority.

    Channels come from `freezer.fetch.conda.channels.read_channels`, with their configuration.
    Raises ``ResolveError`` with the conflict, ``FetchError`` when a channel cannot be reached.
    """
    del config  # the channels have their addresses already
    indexes = fetch_indexes(request.channels, request.subdir, store=store, report=report)
    with report.task(f"Solving the conda environment for {request.subdir}"):
        result = _solve_dated_first(request, indexes, store)
    if "records" not in result:
        raise explain(result, request)
    packages = packages_of(result["records"], request)
    return CondaResolution(packages, tuple(undated_warning(packages)))


def _solve_dated_first(
    request: CondaRequest, indexes: Sequence[Repodata], store: Store
) -> dict[str, Any]:
    """Solve; without a solution, solve again with packages of unknown age."""
    question = question_of(request)
    result = ask_indexes(question, indexes, store)
    if _NO_TIME in result.get("unsolved", ""):
        return ask_indexes({**question, "undated": True}, indexes, store)
    return result


def question_of(request: CondaRequest) -> dict[str, Any]:
    """Return a request as the worker's JSON input; it has no addresses."""
    return {
        "specs": [_spec(requirement) for requirement in request.specs],
        "constraints": list(request.constraints),
        "keep": [_kept(package) for package in request.keep.values()],
        "virtual": [solver_form(*item) for item in sorted(request.virtual_packages.items())],
        "as_of": request.as_of,
        "undated": False,
    }


def _spec(requirement: CondaRequirement) -> dict[str, str | None]:
    text = (
        requirement.text
        if requirement.channel is None
        else f"{requirement.channel}::{requirement.text}"
    )
    return {"text": text, "bare": requirement.text, "channel": requirement.channel}


def _kept(package: CondaPackage) -> dict[str, Any]:
    return package.model_dump(
        mode="json",
        by_alias=False,
        exclude={"source", "url", "commit", "describe", "subdirectory", "reason"},
    )
