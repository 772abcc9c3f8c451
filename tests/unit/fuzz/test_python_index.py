"""Pages of Python package indexes: JSON (PEP 691), HTML (PEP 503), and names of files."""

from __future__ import annotations

import json

import pytest

from freezer.fetch.python.filenames import name_and_version
from freezer.fetch.python.simple_api import parse_html, parse_json, parse_page
from tests.support.fuzz import Target, hold

URL = "https://user:secret@index.example/simple/demo/"
JSON = json.dumps(
    {
        "meta": {"api-version": "1.1"},
        "name": "demo",
        "versions": ["1.0", "1.1"],
        "files": [
            {
                "filename": "demo-1.0-py3-none-any.whl",
                "url": "../../files/demo-1.0-py3-none-any.whl",
                "hashes": {"sha256": "a" * 64},
                "requires-python": ">=3.8",
                "size": 1234,
                "upload-time": "2026-01-02T03:04:05.678Z",
                "yanked": "broken",
                "core-metadata": {"sha256": "b" * 64},
            },
            {
                "filename": "demo-1.1.tar.gz",
                "url": "https://files.example/demo-1.1.tar.gz",
                "hashes": {},
            },
        ],
    }
).encode()
HTML = b"""<!DOCTYPE html><html><head><base href="https://files.example/x/"><title>Links</title></head><body>
<a href="demo-1.0-py3-none-any.whl#sha256=aaaa" data-requires-python="&gt;=3.8" data-yanked="">demo</a><br/>
<a href="../demo-1.1.tar.gz?x=1#md5=bb" data-core-metadata="sha256=cc">demo</a>
</body></html>"""
TARGETS = [
    Target("simple index, JSON", lambda data: parse_json(data, URL), [JSON], "json"),
    Target("simple index, HTML", lambda data: parse_html(data, URL), [HTML], "text"),
    Target("simple index, either", lambda data: parse_page(data, URL), [JSON, HTML]),
    Target(
        "names of Python files",
        lambda data: name_and_version(data.decode("utf-8", "replace")),
        [b"demo-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl", b"demo_x-1.0.post1+local.tar.gz"],
    ),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)
