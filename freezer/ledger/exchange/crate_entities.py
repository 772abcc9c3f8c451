"""A run as entities of an RO-Crate: the action, what it used, and what came out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from freezer.ledger.exchange.table import exact
from freezer.model.record.run import Digest, Time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.model.record.run import Run, Value

TERMS: Final = "https://w3id.org/ro/terms/workflow-run#"
FREEZER: Final = "urn:freezer-ml"
"""The program by name: it has no URL of its own."""
AUTHOR: Final = "#author"
_STATUS: Final = {
    "finished": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
    "interrupted": "http://schema.org/FailedActionStatus",
}
_FORMS: Final = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "log": "text/plain",
    "md": "text/markdown",
    "npz": "application/zip",
    "png": "image/png",
    "pt": "application/zip",
    "txt": "text/plain",
    "yaml": "application/yaml",
    "zip": "application/zip",
}
"""Media types by file extension; Python's own table differs between hosts."""
_APART: Final = ("params.", "metrics.", "data.", "settings.", "given.")
Entity = dict[str, Any]


@dataclass(frozen=True)
class CrateRun:
    """A run, and its files in the crate."""

    run: Run
    files: Mapping[str, int]
    """Bytes of each file by its path in the crate."""
    outputs: Mapping[str, str]
    """Paths of outputs in the crate, by their own path; missing outputs have none."""
    document: str
    """Path of the whole run, as `freeze runs import` reads it."""
    lock: str | None = None
    patch: str | None = None


@dataclass(frozen=True)
class About:
    """What the runs themselves do not record."""

    license: str | None = None
    """A URL, or free text."""
    author: str | None = None


def run_entities(one: CrateRun, about: About) -> Iterator[Entity]:
    """Yield the entities of a run."""
    run = one.run
    tool, image = f"#tool-{run.id}", f"#image-{_text(run, 'image') or run.id}"
    inputs = [*_inputs(one), *_files(one)]
    results = [*_outputs(one), *_values(run, "metrics.", "a metric")]
    settings = list(_values(run, "settings.", "a setting in force"))
    yield from (*inputs, *results, *settings)
    yield _action(one, about, tool, image, inputs, results, settings)
    yield _tool(run, tool, one)
    if "image" in run.fields:
        yield {
            "@id": image,
            "@type": "ContainerImage",
            "additionalType": {"@id": f"{TERMS}DockerImage"},
            "name": f"the image of {run.environment}",
            "sha256": _digits(run.fields["image"]),
        }


def _action(
    one: CrateRun,
    about: About,
    tool: str,
    image: str,
    inputs: Sequence[Entity],
    results: Sequence[Entity],
    settings: Sequence[Entity],
) -> Entity:
    run = one.run
    action: Entity = {
        "@id": f"#run-{run.id}",
        "@type": "CreateAction",
        "name": f"Run {run.id} of {run.environment}",
        "description": " ".join(run.command) or "A recorded run",
        "identifier": run.id,
        "startTime": iso_time(run.started),
        "actionStatus": _STATUS.get(run.state, _STATUS["failed"]),
        "instrument": {"@id": tool},
        "object": _links(inputs),
        "result": [{"@id": uri_path(one.document)}, *_links(results)],
        "environment": _links(settings),
    }
    if run.ended is not None:
        action["endTime"] = iso_time(run.ended)
    if "image" in run.fields:
        action["containerImage"] = {"@id": image}
    if about.author:
        action["agent"] = {"@id": AUTHOR}
    if run.state != "finished":
        code = "" if run.exit_code is None else f" with exit code {run.exit_code}"
        action["error"] = f"{run.state}{code}"
    return action


def _tool(run: Run, tool: str, one: CrateRun) -> Entity:
    """Return the command: the run's code and its requirements."""
    needs = [{"@id": FREEZER}]
    if one.lock:
        needs.append({"@id": uri_path(one.lock)})
    commit, remote = _text(run, "git.commit"), _text(run, "git.remote")
    return {
        "@id": tool,
        "@type": "SoftwareApplication",
        "name": run.command[0] if run.command else "the training",
        "description": " ".join(run.command) or "The training of the run",
        "softwareVersion": commit or _text(run, "lock") or run.id,
        "url": remote if is_url(remote) else FREEZER,
        "softwareRequirements": needs,
    }


def _inputs(one: CrateRun) -> Iterator[Entity]:
    run = one.run
    yield from _values(run, "params.", "a parameter")
    for name, value in sorted(run.fields.items()):
        if name.startswith("data.") and isinstance(value, Digest) and not name.endswith(".list"):
            yield {
                "@id": f"#{quote(name)}-{_digits(value)}",
                "@type": "CreativeWork",
                "name": f"the data set {name.removeprefix('data.')}",
                "description": "A data set by its content; it is not a part of this crate",
                "sha256": _digits(value),
            }
        elif not name.startswith(_APART) or (name.startswith("data.") and "." in name):
            yield _value(run, name, value, "a recorded fact")


def _files(one: CrateRun) -> Iterator[Entity]:
    kinds = {
        one.document: ("the whole run, as `freeze runs import` reads it", "application/json"),
        one.lock: ("the lock of the environment", "application/yaml"),
        one.patch: ("changes of the code since its commit", "text/x-patch"),
    }
    outputs = set(one.outputs.values())
    for path, size in sorted(one.files.items()):
        if path in outputs:
            continue
        name, form = kinds.get(path, ("a list of files by digest", "text/plain"))
        yield {
            "@id": uri_path(path),
            "@type": "File",
            "name": name,
            "contentSize": str(size),
            "encodingFormat": form,
        }


def _outputs(one: CrateRun) -> Iterator[Entity]:
    for output in one.run.outputs:
        place = one.outputs.get(output.path)
        entity: Entity = {
            "@id": f"#output-{one.run.id}-{quote(output.path, safe='')}",
            "@type": "CreativeWork",
            "description": "An output by its content; it is not a part of this crate",
        }
        if place is not None:
            ending = output.path.rpartition(".")[2].lower()
            form = _FORMS.get(ending, "application/octet-stream")
            entity = {"@id": uri_path(place), "@type": "File", "encodingFormat": form}
        yield {
            **entity,
            "name": output.path,
            "contentSize": str(output.size),
            "sha256": output.sha256,
        }


def _values(run: Run, prefix: str, what: str) -> Iterator[Entity]:
    for name, value in sorted(run.fields.items()):
        if name.startswith(prefix):
            yield _value(run, name, value, what)


def _value(run: Run, name: str, value: Value, what: str) -> Entity:
    return {
        "@id": f"#{run.id}-{quote(name, safe='')}",
        "@type": "PropertyValue",
        "name": name,
        "description": what,
        "value": exact(value),
    }


def _links(entities: Sequence[Entity]) -> list[dict[str, str]]:
    return [{"@id": one["@id"]} for one in entities]


def _text(run: Run, name: str) -> str:
    value = run.fields.get(name)
    return "" if value is None else exact(value)


def _digits(value: Value) -> str:
    return str(value).removeprefix("sha256:")


def is_url(text: str | None) -> bool:
    """Return whether a text is a web address."""
    return text is not None and text.startswith(("http://", "https://")) and " " not in text


def uri_path(path: str) -> str:
    """Return the path of a file as the ID of an entity."""
    return quote(path)


def iso_time(time: Time) -> str:
    """Return a time as the profile wants it: with milliseconds where there are any."""
    whole, micros = divmod(time.micros, 1_000_000)
    text = str(Time(whole * 1_000_000)).removesuffix("Z")
    fraction = f".{micros // 1000:03}" if micros >= 1000 else ""
    return f"{text}{fraction}+00:00"
