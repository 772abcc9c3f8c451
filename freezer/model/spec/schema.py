"""The JSON schema of ``freeze.yaml``, with the short forms that people write."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from freezer.model.base import Model
from freezer.model.spec.spec import AUTO, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE: Final = f"{Spec.__module__.rpartition('.')[0]}."
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def spec_schema(trainings: Sequence[str]) -> dict[str, Any]:
    """Return the schema, with the names of the built-in trainings.

    Descriptions are the docstrings of the spec's fields.
    """
    schema = Spec.model_json_schema(by_alias=True)
    _describe(schema, Spec)
    for model in _models():
        _describe(schema["$defs"].get(model.__name__, {}), model)
    properties = schema["properties"]
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    properties["pip"] = _either(
        properties["pip"],
        {**text, "description": "A requirements file or a pyproject.toml."},
        {**texts, "description": "Requirements, one an entry."},
    )
    properties["system"] = _or_auto(properties["system"])
    training = schema["$defs"]["SmokeSpec"]["properties"]["training"]
    one = {"type": "string", "enum": list(trainings)}
    training["anyOf"][0]["items"] = one
    training["anyOf"].insert(0, one)
    properties["as-of"] = {
        "type": "string",
        "format": "date-time",
        "description": "Nothing newer is considered; also the image's clock.",
    }
    return {"$schema": DIALECT, **schema, "title": "freeze.yaml"}


def _models() -> Iterator[type[Model]]:
    waiting = list(Model.__subclasses__())
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if model.__module__.startswith(_PACKAGE):
            yield model


def _describe(schema: dict[str, Any], model: type[Model]) -> None:
    """Add the docstrings of a model's fields to its schema.

    pydantic can do that as well, for each model whenever it is loaded: a tenth of a second for each
    command, where one in a hundred wants them.
    """
    properties = schema.get("properties", {})
    fields = {name: field.alias or name for name, field in model.model_fields.items()}
    [found] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    for one, after in pairwise(found.body):  # type: ignore[attr-defined]
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = _text(after)
            place = properties.get(fields.get(one.target.id))
            if text is not None and place is not None:
                place.setdefault("description", text)


def _text(statement: ast.stmt) -> str | None:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return inspect.cleandoc(str(value.value)) if isinstance(value, ast.Constant) else None


def _either(full: dict[str, Any], *short: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in full.items() if key not in ("$ref", "default")}
    return {**kept, "anyOf": [{"$ref": full["$ref"]}, *short]}


def _or_auto(packages: dict[str, Any]) -> dict[str, Any]:
    kept = {key: packages[key] for key in ("description", "default", "title")}
    listed = {key: value for key, value in packages.items() if key not in kept}
    return {**kept, "anyOf": [listed, {"const": AUTO}]}
