"""Selects the solver that the spec names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from freezer.resolve.conda.solver.interface import CondaSolver


def conda_solver(name: Literal["rattler", "conda-lock"]) -> CondaSolver:
    """Return the solver of a name, one of `CondaSpec.resolver`."""
    if name == "conda-lock":
        from freezer.resolve.conda.solver.conda_lock import solve_with_conda_lock

        return solve_with_conda_lock
    from freezer.resolve.conda.solver.rattler import solve

    return solve
