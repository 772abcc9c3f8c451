"""Converts solver records to locked packages, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from freezer.errors import ResolveError, Where
from freezer.fetch.http.redact import redact
from freezer.model.lock import CondaPackage
from freezer.model.reason import needed_by, requested_in
from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.resolve.conda.solver.interface import CondaRequest, CondaRequirement


def packages_of(
    records: Sequence[Mapping[str, Any]], request: CondaRequest
) -> tuple[CondaPackage, ...]:
    """Return records as packages, sorted by name; kept ones stay as they were locked.

    Raises ``ResolveError`` with every record that has no usable hash.
    """
    _require_hashes(records)
    requested: dict[str, list[CondaRequirement]] = {}
    for item in request.specs:
        requested.setdefault(spec_name(item.text), []).append(item)
    reasons = reasons_of(
        {record["name"]: record.get("depends", ()) for record in records},
        {name: [item.where for item in items] for name, items in requested.items()},
    )
    found = []
    for record in sorted(records, key=lambda record: str(record["name"])):
        name = record["name"]
        why = {"requested": name in requested, "reason": reasons[name]}
        kept = request.keep.get(name)
        if kept is not None and kept.sha256 == record["sha256"]:
            found.append(kept.model_copy(update=why))
        else:
            found.append(package_of(record, why))
    return tuple(found)


def reasons_of(
    depends: Mapping[str, Iterable[str]], places: Mapping[str, Sequence[Where]]
) -> dict[str, str]:
    """Return each package's reason: ``asked for in environment.yml:7`` or ``needed by scipy``.

    ``depends`` maps packages to the match specs of their dependencies.
    """
    parents: dict[str, set[str]] = {}
    for name, specs in depends.items():
        for text in specs:
            parents.setdefault(spec_name(text), set()).add(name)
    return {name: _reason(places.get(name, ()), parents.get(name, set())) for name in depends}


def _reason(places: Sequence[Where], parents: set[str]) -> str:
    if places:
        return requested_in(places)
    return needed_by(parents) if parents else "chosen by the solver"


def undated_warning(packages: Iterable[CondaPackage]) -> Iterator[str]:
    """Yield a warning for packages without a build time."""
    undated = [package.name for package in packages if package.timestamp is None]
    if undated:
        yield (f"{', '.join(undated)}: no build time is known, so the cut-off could not be checked")


def package_of(record: Mapping[str, Any], why: Mapping[str, Any]) -> CondaPackage:
    """Return a record as a package, with ``requested`` and ``reason`` from ``why``.

    Raises ``ResolveError`` when it cannot be locked.
    """
    _require_hashes([record])
    values = {
        "source": "conda",
        "file": record["fn"],
        "noarch": record.get("noarch") or None,
        **{
            name: record[name]
            for name in ("size", "sha256", "name", "version", "build", "build_number", "channel")
        },
        **{
            name: record[name]
            for name in (
                *("subdir", "depends", "constrains", "md5", "license", "timestamp"),
                "python_site_packages_path",
            )
            if record.get(name) is not None
        },
        **why,
    }
    try:
        return CondaPackage.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ResolveError(
            f"the channel {record['channel']} describes {record['name']} in a way that cannot be "
            "locked",
            found=redact(f"{'.'.join(map(str, first['loc']))}: {first['msg']}"),
            hint="the channel's index is wrong; report it to its owners",
        ) from None


def _require_hashes(records: Sequence[Mapping[str, Any]]) -> None:
    lacking = [
        f"{record['channel']}/{record['subdir']}/{record['fn']} has no {missing}"
        for record in records
        for missing in ("sha256", "size")
        if record.get(missing) is None
    ]
    if lacking:
        raise ResolveError(
            "not every package has a hash and a size to pin",
            details=lacking,
            hint="re-index the channel with a tool that writes sha256 and size (rattler-index, "
            "conda-index), or use another channel for these packages",
        )
