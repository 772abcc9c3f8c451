"""The manifest of a version, read as outside data."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import IntegrityError
from freezer.governance.archive.manifest import Manifest, listed, manifest_bytes, parse_manifest

DIGESTS = st.sampled_from(["0" * 64, "a1" * 32])
PATHS = st.from_regex(r"[a-z]{1,4}(/[a-z0-9. ]{0,4}x){0,2}", fullmatch=True)


@given(
    st.dictionaries(PATHS, DIGESTS, min_size=1),
    st.dictionaries(st.sampled_from(["1" * 16, "2" * 16]), st.one_of(st.none(), DIGESTS)),
)
def test_a_manifest_reads_as_it_was_written(
    files: dict[str, str], runs: dict[str, str | None]
) -> None:
    made = Manifest("demo", "b" * 64, runs, files)
    assert parse_manifest(manifest_bytes(made), "x") == made
    assert manifest_bytes(made) == manifest_bytes(made)
    assert listed({**files, "manifest.json": "c" * 64}) == files


@pytest.mark.parametrize(
    "change",
    [
        {"predicateType": "urn:freezer-ml:archive:v1"},
        {"predicate": {}},
        {"predicate": {"environment": "demo", "lock-id": 1, "runs": {}}},
        {"predicate": {"environment": "demo", "lock-id": "x", "runs": []}},
        {"predicate": []},
        {"subject": []},
        {"_type": "other"},
    ],
)
def test_other_statements_are_refused(change: dict[str, object]) -> None:
    made = manifest_bytes(Manifest("demo", "b" * 64, {}, {"a": "0" * 64}))
    data = json.dumps({**json.loads(made), **change}).encode()
    with pytest.raises((ValueError, IntegrityError)):
        parse_manifest(data, "x")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_manifest_or_an_error(data: bytes) -> None:
    with suppress(ValueError, IntegrityError):
        parse_manifest(data, "x")
