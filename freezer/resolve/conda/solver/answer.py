"""From a solver's records to locked packages, each with the reason why it is there."""

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
    """Return records as packages, sorted by name; a kept one is left as it was locked.

    Raises ``ResolveError`` naming every record that cannot be held to its bytes.
    """
    _require_hashes(records)
    asked: dict[str, list[CondaRequirement]] = {}
    for item in request.specs:
        asked.setdefault(spec_name(item.text), []).append(item)
    reasons = reasons_of(
        {record["name"]: record.get("depends", ()) for record in records},
        {name: [item.where for item in items] for name, items in asked.items()},
    )
    found = []
    for record in sorted(records, key=lambda record: str(record["name"])):
        name = record["name"]
        why = {"requested": name in asked, "reason": reasons[name]}
        kept = request.keep.get(name)
        if kept is not None and kept.sha256 == record["sha256"]:
            found.append(kept.model_copy(update=why))
        else:
            found.append(package_of(record, why))
    return tuple(found)


def reasons_of(
    depends: Mapping[str, Iterable[str]], places: Mapping[str, Sequence[Where]]
) -> dict[str, str]:
    """Return for each package ``asked for in environment.yml:7`` or ``needed by scipy``.

    ``depends`` holds the match specs of what each package needs.
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
    """Yield what to say of packages whose age nobody knows."""
    undated = [package.name for package in packages if package.timestamp is None]
    if undated:
        yield (
            f"no build time is known of {', '.join(undated)}: the cut-off could not be "
            "compared with it"
        )


def package_of(record: Mapping[str, Any], why: Mapping[str, Any]) -> CondaPackage:
    """Return a record as a package, ``why`` being its ``requested`` and ``reason``.

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
            hint="the channel's index is wrong; tell its owners",
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
            "not every package can be pinned to its bytes",
            details=lacking,
            hint="index the channel anew with a tool that writes sha256 and size (rattler-index, "
            "conda-index), or take these packages from another channel",
        )
