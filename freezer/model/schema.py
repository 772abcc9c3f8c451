"""The JSON schema of ``freeze.yaml``, with the short forms that people write."""

from __future__ import annotations

from typing import Any, Final

from freezer.model.spec import Spec

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def spec_schema() -> dict[str, Any]:
    """Return the schema. Descriptions are the docstrings of the spec's fields."""
    schema = Spec.model_json_schema(by_alias=True)
    properties = schema["properties"]
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    properties["pip"] = _either(
        properties["pip"],
        {**text, "description": "A requirements file or a pyproject.toml."},
        {**texts, "description": "Requirements, one an entry."},
    )
    training = schema["$defs"]["SmokeSpec"]["properties"]["training"]
    names = training["anyOf"][0]["items"]["enum"]
    training["anyOf"].insert(0, {"type": "string", "enum": names})
    properties["as-of"] = {
        "type": "string",
        "format": "date-time",
        "description": "Nothing newer is considered; also the image's clock.",
    }
    return {"$schema": DIALECT, **schema, "title": "freeze.yaml"}


def _either(full: dict[str, Any], *short: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in full.items() if key not in ("$ref", "default")}
    return {**kept, "anyOf": [{"$ref": full["$ref"]}, *short]}
