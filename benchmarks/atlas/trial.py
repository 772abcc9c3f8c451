"""A trial's form, read without running it: what it measures, with which packages."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from freezer.frameworks.description import Factor

TRIALS: Final = Path(__file__).parent / "trials"
PARAMETERS: Final = frozenset({"seed", "threads", "setting"})
"""What an operation may ask for."""


class TrialError(Exception):
    """A trial that does not have the documented form."""


@dataclass(frozen=True)
class Operation:
    """One function of a trial."""

    name: str
    """Of the function."""
    title: str
    factors: tuple[Factor, ...]
    data: str
    parameters: frozenset[str]
    setting: str | None = None
    variables: tuple[tuple[str, str], ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class Trial:
    """One file of ``benchmarks/atlas/trials``."""

    path: Path
    package: str
    """The distribution on the Python package index."""
    versions: tuple[str, ...]
    """What is measured by every factor but the version."""
    pins: tuple[str, ...]
    """Requirements that are installed with it: ``numpy==2.4.6``."""
    also: tuple[str, ...]
    """Further distributions of the same library."""
    oldest: str | None
    """The release from which on streams are compared; None without an operation of this kind."""
    stream_pins: tuple[str, ...]
    """Instead of ``pins``, where streams are compared: what fits all of the releases."""
    operations: tuple[Operation, ...]

    @property
    def sha256(self) -> str:
        """The digest of the trial's code, whatever its layout and comments."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def trials(names: tuple[str, ...] = ()) -> tuple[Trial, ...]:
    """Return the trials of some packages, or all. Raises ``TrialError`` for an unknown one."""
    known = {trial.package: trial for trial in map(read_trial, sorted(TRIALS.glob("*.py")))}
    if unknown := [name for name in names if name not in known]:
        raise TrialError(f"no trial of {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names or known)


def read_trial(path: Path) -> Trial:
    """Return a trial. Raises ``TrialError`` naming file, line and what is expected."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    values = _constants(tree, path)
    operations = tuple(
        found
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and (found := _operation(node, path)) is not None
    )
    if not ast.get_docstring(tree):
        raise TrialError(f"{path}:1: the docstring is missing: what the library is")
    if "PACKAGE" not in values or not (values.get("VERSIONS") or values.get("OLDEST")):
        raise TrialError(f"{path}:1: expected PACKAGE, and VERSIONS or OLDEST, as constants")
    if not operations:
        raise TrialError(f"{path}:1: no function is marked with @operation(...)")
    if any("version" in one.factors for one in operations) != ("OLDEST" in values):
        raise TrialError(f"{path}:1: OLDEST belongs to operations with the factor 'version'")
    return Trial(
        path=path,
        package=values["PACKAGE"],
        versions=tuple(values.get("VERSIONS", ())),
        pins=tuple(values.get("WITH", ())),
        also=tuple(values.get("ALSO", ())),
        oldest=values.get("OLDEST"),
        stream_pins=tuple(values.get("STREAMS_WITH", values.get("WITH", ()))),
        operations=operations,
    )


_CONSTANTS: Final = {
    "PACKAGE": str,
    "VERSIONS": tuple,
    "WITH": tuple,
    "ALSO": tuple,
    "OLDEST": str,
    "STREAMS_WITH": tuple,
}


def _constants(tree: ast.Module, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if (kind := _CONSTANTS.get(name)) is None:
            continue
        found[name] = _literal(node.value, path)
        if not isinstance(found[name], kind):
            raise TrialError(f"{path}:{node.lineno}: {name} is no {kind.__name__}")
    return found


def _operation(node: ast.FunctionDef, path: Path) -> Operation | None:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and getattr(mark.func, "id", None) == "operation":
            break
    else:
        return None
    where = f"{path}:{node.lineno}: {node.name}"
    given = {str(item.arg): _literal(item.value, path) for item in mark.keywords}
    parameters = frozenset(item.arg for item in node.args.args)
    if not parameters <= PARAMETERS:
        raise TrialError(f"{where}: expected the parameters {', '.join(sorted(PARAMETERS))} alone")
    if unknown := set(given["factors"]) - set(get_args(Factor)):
        raise TrialError(f"{where}: no such factor: {', '.join(sorted(unknown))}")
    settled = "setting" in parameters or bool(given.get("variables"))
    if settled != bool(given.get("setting")):
        raise TrialError(f"{where}: a setting has a name, and a parameter or variables")
    return Operation(
        name=node.name,
        title=_literal(mark.args[0], path),
        factors=tuple(given["factors"]),
        data=given["data"],
        parameters=parameters,
        setting=given.get("setting"),
        variables=tuple(sorted(given.get("variables", {}).items())),
        note=given.get("note"),
    )


def _literal(node: ast.expr, path: Path) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise TrialError(f"{path}:{node.lineno}: expected a literal, as trials are read") from error
