"""Poetry's constraints in standard form, compared with what Poetry documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from freezer.flows.setup.files.poetry import requirements, specifier


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("^1.2.3", ">=1.2.3,<2"), ("^1.2", ">=1.2,<2"), ("^1", ">=1,<2"), ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"), ("^0.0", ">=0.0,<0.1"), ("^0", ">=0,<1"),
        ("~1.2.3", ">=1.2.3,<1.3"), ("~1.2", ">=1.2,<1.3"), ("~1", ">=1,<2"), ("*", ""),
        ("1.2.*", "==1.2.*"), ("1.2.3", "==1.2.3"), (">=1,<2", ">=1,<2"), (">= 1.2, != 1.3", ">=1.2,!=1.3"),
        ("~=1.4", "~=1.4"), ("==1.0", "==1.0"), ("=1.0", "==1.0"), (">=1 <2", ">=1,<2"),
        ("^3.8,<3.10", ">=3.8,<4,<3.10"), ("^1.0 || ^2.0", None), ("latest", None), ("^x", None),
    ],
)  # fmt: skip
def test_constraints(text: str, standard: str | None) -> None:
    found = specifier(text)
    assert (found is None) == (standard is None)
    if found is not None and standard is not None:
        assert SpecifierSet(found) == SpecifierSet(standard)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3), st.sampled_from("^~"))
def test_a_range_starts_at_its_version_and_ends_before_the_next(
    numbers: list[int], sign: str
) -> None:
    text = ".".join(map(str, numbers))
    accepted = SpecifierSet(specifier(sign + text) or "huh")
    assert accepted.contains(text)
    place = min(1, len(numbers) - 1) if sign == "~" else next(
        (n for n, number in enumerate(numbers) if number), len(numbers) - 1
    )  # fmt: skip
    above = [*numbers[:place], numbers[place] + 1]
    assert not accepted.contains(Version(".".join(map(str, above))))
    assert accepted.contains(Version(".".join(map(str, [*numbers, *[9] * (3 - len(numbers))]))))


@given(st.text(max_size=20))
def test_no_text_raises(text: str) -> None:
    specifier(text)
    requirements({"a": text, "b": {"version": text, "python": text, "markers": text}})


def test_tables() -> None:
    found, left = requirements(
        {
            "python": "^3.9",
            "a": "^1",
            "b": {"version": "*", "extras": ["x", "y"], "markers": "os_name == 'nt'"},
            "c": {"version": "~2", "python": ">=3.9,<3.11"},
            "d": {"git": "https://h.example/d.git"},
            "e": {"path": "../e"},
            "f": {"version": "1", "optional": True},
            "g": {"version": "1", "source": "corp"},
            "h": [{"version": "1"}],
        }
    )
    assert found == [
        "a<2,>=1",
        'b[x,y]; os_name == "nt"',
        'c<3,>=2; python_full_version >= "3.9" and python_full_version < "3.11"',
    ]
    assert left == ["d", "e", "g", "h"]
