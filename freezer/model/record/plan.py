"""A plan: what runs are made to find out, written down before they are made.

A short YAML file: the hypothesis, the metric, what changes, the seeds, and what would refute it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from freezer.errors import PlanError, SpecError, Where
from freezer.model.base import Model
from freezer.model.spec.document_kind import DocumentKind
from freezer.model.yaml_document import Document, dotted, read_yaml

MOST_SEEDS: Final = 10_000
MOST_VALUES: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_RANGE: Final = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_EXPECTED: Final = {
    "hypothesis": "a sentence, such as: a lower learning rate gives a higher accuracy",
    "metric": "the name of a metric as the training reports it, such as accuracy",
    "changes": "parameters and the values to try, such as {lr: [0.1, 0.01]}",
    "seeds": "how many, such as 5; or which, such as 1..5 or [1, 2, 3]",
    "refuted-by": "a sentence, or {mean-of: {lr: 0.01}, at-most: {lr: 0.1}}",
    "refuted-by.mean-of": "values of changed parameters, such as {lr: 0.01}",
    "refuted-by.at-most": "a number, or values of changed parameters, such as {lr: 0.1}",
    "refuted-by.at-least": "a number, or values of changed parameters, such as {lr: 0.1}",
    "refuted-by.margin": "a number from 0",
}
_HINT: Final = "docs/how-to/run.md describes plans; `freeze schema --plan` prints the schema"


def _sentence(text: str) -> str:
    if not text.strip():
        msg = "some words"
        raise ValueError(msg)
    return text.strip()


def _named(text: str) -> str:
    if not _NAME.fullmatch(text):
        msg = "a name that begins with a letter from A to Z or '_'; digits, '.' and '-' may follow"
        raise ValueError(msg)
    return text


def _text(value: Any) -> Any:
    """Return a scalar as the text that a command line would hold."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _seeds(value: Any) -> Any:
    """Return how many seeds, or which: a range becomes a list."""
    if isinstance(value, str) and (match := _RANGE.fullmatch(value)):
        first, last = int(match[1]), int(match[2])
        if not 0 <= last - first < MOST_SEEDS:
            msg = f"a range upwards of at most {MOST_SEEDS} seeds"
            raise ValueError(msg)
        return list(range(first, last + 1))
    if isinstance(value, bool) or (isinstance(value, list) and True in map(_is_bool, value)):
        msg = "whole numbers, not true or false"
        raise ValueError(msg)
    return value


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) != len(values):
        msg = "each value once"
        raise ValueError(msg)
    return values


def same_setting(one: str, other: str) -> bool:
    """Say whether two values of a parameter are the same: ``0.10`` is ``0.1``."""
    if one == other:
        return True
    numbers = _NUMBER.fullmatch(one), _NUMBER.fullmatch(other)
    return all(numbers) and float(one) == float(other)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _number(value: Any) -> Any:
    """Return a number; YAML's numbers with a point are read as they are written."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool):
        msg = "a number, not true or false"
        raise ValueError(msg)
    return value


Sentence = Annotated[str, Field(max_length=10_000), AfterValidator(_sentence)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_named)]
Metric = Annotated[str, Field(min_length=1, max_length=200)]
Setting = Annotated[str, BeforeValidator(_text), Field(max_length=10_000)]
Settings = Annotated[
    tuple[Setting, ...],
    BeforeValidator(_listed),
    Field(min_length=1, max_length=MOST_VALUES),
    AfterValidator(_distinct),
]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Seeds = Annotated[
    Annotated[int, Field(ge=1, le=MOST_SEEDS)]
    | Annotated[
        tuple[Seed, ...],
        Field(min_length=1, max_length=MOST_SEEDS),
        AfterValidator(_distinct),
    ],
    BeforeValidator(_seeds),
]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Cell = dict[Name, Setting]
"""Values of changed parameters: the runs that have them."""


class Criterion(Model):
    """What would refute the hypothesis: a mean over seeds, compared with a number or another."""

    mean_of: Cell = {}
    """The runs whose mean is looked at, by their changed parameters; all of them without any."""
    at_most: Number | Cell | None = None
    """The hypothesis is refuted where the mean is at most this, or at most the mean of these."""
    at_least: Number | Cell | None = None
    """The hypothesis is refuted where the mean is at least this, or at least the mean of these."""
    margin: Annotated[Number, Field(ge=0)] = 0.0
    """How much better the mean must be than that to count: it moves the bound."""

    @model_validator(mode="after")
    def _one_bound(self) -> Criterion:
        if (self.at_most is None) == (self.at_least is None):
            msg = "one of at-most and at-least"
            raise ValueError(msg)
        return self

    @property
    def bound(self) -> float | Cell:
        """What the mean is compared with."""
        found = self.at_least if self.at_most is None else self.at_most
        return {} if found is None else found


class Plan(Model):
    """A plan as its file has it."""

    hypothesis: Sentence
    """What the runs are to test."""
    metric: Metric
    """The metric that counts, as the training reports it; its last value."""
    changes: dict[Name, Settings] = {}
    """Parameters and the values to try: every combination is one condition."""
    seeds: Seeds
    """How many seeds each condition is run with, or which."""
    refuted_by: Criterion | Sentence
    """What would refute the hypothesis: a criterion that can be computed, or a sentence."""

    @property
    def metric_field(self) -> str:
        """The name of the metric as filters use it."""
        return f"metrics.{self.metric.removeprefix('metrics.')}"


_PLAN: Final = DocumentKind(
    "plan",
    {"": Plan, "refuted-by": Criterion},
    _EXPECTED,
    more=_HINT,
    alike=("changes",),
    hint=lambda _path, _values: _HINT,
    reasons_first=True,
)


@dataclass(frozen=True)
class PlanFile:
    """A plan and the bytes of its file."""

    plan: Plan
    data: bytes
    name: str
    """Its path, as it was given."""


def read_plan(data: bytes, name: str) -> PlanFile:
    """Return the plan in a file's bytes. Raises ``PlanError`` with file, line and key."""
    try:
        document = read_yaml(data, name)
    except SpecError as error:
        expected = error.expected and "lines such as 'metric: accuracy'"
        raise PlanError(
            error.what, where=error.where, found=error.found, expected=expected, hint=_HINT
        ) from None
    try:
        plan = _PLAN.validate(document, name)
    except SpecError as error:
        raise PlanError(
            error.what,
            where=error.where,
            found=error.found,
            expected=error.expected,
            hint=error.hint,
            details=error.details,
        ) from None
    _require_planned(plan, document, name)
    return PlanFile(plan, data, name)


def plan_schema() -> dict[str, Any]:
    """Return the JSON schema of a plan, with the short forms that people write."""
    schema = Plan.model_json_schema(by_alias=True)
    properties = schema["properties"]
    properties["seeds"]["anyOf"].append({"type": "string", "pattern": f"^{_RANGE.pattern}$"})
    scalar = {"type": ["string", "number", "boolean"]}
    several = {"type": "array", "items": scalar, "minItems": 1, "uniqueItems": True}
    names = {"type": "object", "propertyNames": {"pattern": f"^{_NAME.pattern}$"}}
    properties["changes"] = {**names, "additionalProperties": {"anyOf": [scalar, several]}}
    cell = {**names, "additionalProperties": scalar}
    criterion = schema["$defs"]["Criterion"]["properties"]
    criterion["mean-of"] = cell
    for bound in ("at-most", "at-least"):
        criterion[bound] = {"anyOf": [{"type": "number"}, cell]}
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": "A plan of runs"}


def _require_planned(plan: Plan, document: Document, name: str) -> None:
    """Refuse a criterion about values that the plan does not try. Raises ``PlanError``."""
    if isinstance(plan.refuted_by, str):
        return
    criterion = plan.refuted_by
    cells = {"mean-of": criterion.mean_of}
    if not isinstance(criterion.bound, float):
        cells["at-least" if criterion.at_most is None else "at-most"] = criterion.bound
    for key, cell in cells.items():
        for one, value in cell.items():
            if not any(same_setting(value, known) for known in plan.changes.get(one, ())):
                path = ("refuted-by", key, one)
                raise PlanError(
                    f"the plan does not try {one}={value}",
                    where=Where(name, document.line(path), dotted(path)),
                    expected=", ".join(plan.changes.get(one, ())) or "a parameter of `changes`",
                )
