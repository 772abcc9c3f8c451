"""Faults of a YAML document against its model, in the user's terms: line, key, what to write."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from freezer.errors import SpecError, Where
from freezer.model.base import Model, kebab
from freezer.model.spec.faults import joined
from freezer.model.yaml_document import Document, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from freezer.model.yaml_document import Path

_PREFIXES: Final = ("value error, ", "assertion failed, ")
_IN_PLAIN_WORDS: Final = (
    ("input should be a valid tuple", "a list"),
    ("input should be a valid list", "a list"),
    ("input should be a valid set", "a list"),
    ("input should be a valid dictionary", "a mapping of keys to values"),
    ("input should be a valid string", "text"),
    ("input should be a valid integer", "a whole number"),
    ("input should be a valid boolean", "true or false"),
    ("string should have at least 1 character", "at least one character"),
    (
        "string should match pattern '^[a-z0-9]+([._-][a-z0-9]+)*$'",
        "lower-case letters and digits, with single '.', '_' or '-' between them",
    ),
)
"""What pydantic calls by Python's names, in words of YAML."""


def _no_hint(path: Path, values: Any) -> str | None:
    del path, values
    return None


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document: its model, and what messages say of each key.

    In the paths of sections, ``*`` is a name of the user's own, or an item of a list:
    ``expect.*.monotone``, ``deviations.*``.
    """

    what: str
    """``spec``, ``policy`` or ``plan``."""
    sections: Mapping[str, type[Model]]
    """The model of each mapping by its path; that of the whole document by the empty one."""
    expected: Mapping[str, str]
    """What a key takes, by its path without items of lists."""
    more: str
    """What to do about a key that is like none."""
    named: tuple[str, ...] = ()
    """Keys of mappings whose own keys are names of the user's."""
    alike: tuple[str, ...] = ()
    """Keys of mappings whose values are all alike: what is expected is said of the mapping."""
    hint: Callable[[Path, Any], str | None] = _no_hint
    reasons_first: bool = False
    """Whether the reason of a validator of the model counts more than what a key takes."""

    def validate(self, document: Document, name: str, context: Any = None) -> Any:
        """Return the model of a document. Raises ``SpecError`` with every fault, by its line."""
        try:
            return self.sections[""].model_validate(document.values, context=context)
        except ValidationError as error:
            raise joined(_Faults(self, document, name).of(error)) from None


@dataclass(frozen=True)
class _Faults:
    """The faults of one document."""

    kind: DocumentKind
    document: Document
    name: str

    def of(self, error: ValidationError) -> list[SpecError]:
        """Return all faults, in the order of their lines."""
        found: dict[Path, SpecError] = {}
        items = error.errors(include_url=False)
        unknown = [self._path(one["loc"]) for one in items if one["type"] == "extra_forbidden"]
        misspelled = {(*path[:-1], self._near(path)) for path in unknown}
        for item in items:
            path = self._path(item["loc"])
            if item["type"] == "missing" and path in misspelled:
                continue  # the key that is there says so
            # Each branch of a union has its reason; a validator's own one says most.
            telling = self.kind.reasons_first and item["type"] == "value_error"
            if telling or path not in found:
                found[path] = self._fault(path, item)
        # A union says that none of its branches fits; the fault inside a branch says why.
        inner = [fault for path, fault in found.items() if not _is_above(path, found)]
        return sorted(inner, key=lambda fault: (fault.where.line or 0) if fault.where else 0)

    def _path(self, location: Sequence[Any]) -> Path:
        """Return the part of pydantic's location that is the user's: union branches are not."""
        path: list[str | int] = []
        here: Any = self.document.values
        for part in location:
            if _holds(here, part):
                here = here[part]
            elif isinstance(here, dict) and self._is_key(part, tuple(path)):
                return (*path, part)
            else:
                continue
            path.append(part)
        return tuple(path)

    def _is_key(self, part: Any, path: Path) -> bool:
        model = self._section(path)
        return model is not None and part in _keys(model)

    def _section(self, path: Path) -> type[Model] | None:
        """Return the model of a mapping in the document."""
        items = tuple("*" if isinstance(part, int) else part for part in self._general(path))
        return self.kind.sections.get(dotted(items))

    def _general(self, path: Path) -> Path:
        """Return a path with ``*`` where the user chooses the names."""
        named = len(path) > 1 and path[0] in self.kind.named
        return (path[0], "*", *path[2:]) if named else path

    def _fault(self, path: Path, item: Any) -> SpecError:
        where = place(self.document, self.name, *path)
        if item["loc"][-1:] == ("[key]",):
            reason = _reason(item["msg"])
            return SpecError(f"unusable name {path[-1]!r}", where=where, expected=reason)
        if item["type"] == "extra_forbidden":
            return self._unknown(path, where)
        if item["type"] == "missing":
            return SpecError(
                f"the key {path[-1]!r} is missing",
                where=where,
                expected=self._expected(path),
                hint=f"add a line '{path[-1]}: ...'",
            )
        return SpecError(
            f"unusable value for {_last_key(path)!r}" if path else f"unusable {self.kind.what}",
            where=where,
            found=_shown(path, self.document.values),
            expected=self._own_reason(path, item) or self._expected(path) or _reason(item["msg"]),
            hint=self.kind.hint(path, self.document.values),
        )

    def _own_reason(self, path: Path, item: Any) -> str | None:
        """Return the model's own reason, such as why keys of a mapping exclude each other."""
        named = path[:1] and path[0] in self.kind.named and isinstance(item["input"], dict)
        counts = (named or self.kind.reasons_first) and item["type"] == "value_error"
        return _reason(item["msg"]) if counts else None

    def _unknown(self, path: Path, where: Where) -> SpecError:
        near = self._near(path)
        return SpecError(
            f"unknown key {str(path[-1])!r}",
            where=where,
            expected=f"one of {', '.join(sorted(self._known(path)))}",
            hint=f"did you mean {near!r}?" if near else self.kind.more,
        )

    def _known(self, path: Path) -> list[str]:
        """Return the keys of the mapping that a key is in."""
        return _keys(self._section(path[:-1]) or self.kind.sections[""])

    def _near(self, path: Path) -> str | None:
        """Return the key that an unknown one is like."""
        near = difflib.get_close_matches(str(path[-1]), self._known(path), 1, 0.6)
        return near[0] if near else None

    def _expected(self, path: Path) -> str | None:
        if path[:1] and path[0] in self.kind.alike:
            path = path[:1]
        keys = tuple(part for part in self._general(path) if isinstance(part, str))
        return self.kind.expected.get(dotted(keys))


def place(document: Document, name: str, *path: str | int) -> Where:
    """Return where in its file a key stands."""
    return Where(name, document.line(path), dotted(path) or None)


def _is_above(path: Path, others: Iterable[Path]) -> bool:
    return any(path != other and path == other[: len(path)] for other in others)


def _holds(here: Any, part: Any) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def _last_key(path: Path) -> str:
    """Return the innermost key; an item of a list is named after its list."""
    return str(next(part for part in reversed(path) if isinstance(part, str)))


def _keys(model: type[Model]) -> list[str]:
    return [kebab(name) for name in model.model_fields]


def _reason(message: str) -> str:
    low = message[0].lower() + message[1:]
    for prefix in _PREFIXES:
        low = low.removeprefix(prefix)
    return next((plain for words, plain in _IN_PLAIN_WORDS if low.startswith(words)), low)


def _shown(path: Path, values: Any) -> str:
    for part in path:
        values = values[part]
    if values is None:
        return "nothing"
    text = repr(values)
    return text if len(text) <= 80 else f"{text[:77]}..."
