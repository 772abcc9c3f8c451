"""What ``freeze inventory``, ``push`` and ``pull`` print, word for word, and their documents."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from freezer.flows.attest.documents import Document
from freezer.flows.attest.pull import PulledWhole
from freezer.flows.attest.push import Published
from freezer.flows.image.inventory_cache import InventoryResult
from freezer.flows.project.environment import Locked
from freezer.flows.registry.pull import Pulled
from freezer.flows.registry.push import Pushed
from freezer.model.canonical import digest
from freezer.model.record.inventory import Inventory, LinkedIn, SharedLibrary, inventory_digest
from freezer.output.image import inventory as inventory_output
from freezer.output.image import push as push_output
from tests.support.project.locks import make_lock, sha

IMAGE = f"sha256:{sha('c')}"
NAME = f"registry.example/team/demo@sha256:{sha('d')}"
LOCKED = Locked(make_lock(), sha("a"), Path("/home/project/lockfiles/demo"))


def printed(show: Any, *arguments: Any) -> list[str]:
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=200))
    return stream.getvalue().splitlines()


# Pushes and pulls


BILL = Document("application/spdx+json", "demo.spdx.json", b"{}", {})
DESCRIBED = {
    "type": "application/spdx+json",
    "file": "demo.spdx.json",
    "sha256": digest(b"{}"),
    "bytes": 2,
}


def pushed(documents_sent: int = 1, **changes: Any) -> Published:
    values = {
        "locked": LOCKED,
        "image": IMAGE,
        "name": NAME,
        "tag": "v[1]",
        "size": 5_000_000,
        "layers": 3,
        "sent": 1,
        "sent_bytes": 1_200_000,
        "references": 1,
        "fresh": True,
    }
    return Published(Pushed(**{**values, **changes}), (BILL,), documents_sent)


def test_a_push_gives_first_the_name_that_is_pulled() -> None:
    assert printed(push_output.show_pushed, pushed()) == [
        NAME,
        f"  image {IMAGE} of lock {sha('a')[:12]}, tag v[1]",
        "  1 of 3 layers sent, 1.2 MB; 1 reference sent; 1 of 1 document sent",
    ]


def test_a_push_of_what_is_there_sends_nothing() -> None:
    nothing = pushed(0, fresh=False, sent=0, references=0)
    *_, last = printed(push_output.show_pushed, nothing)
    assert last == "  3 layers, all of it was there; 0 references sent; 0 of 1 document sent"
    assert push_output.pushed_document(nothing)["changed"] is False
    assert push_output.pushed_document(pushed(fresh=False, sent=0))["changed"] is True


def test_the_document_of_a_push_tells_what_there_is_from_what_was_sent() -> None:
    assert push_output.pushed_document(pushed()) == {
        "environment": "demo",
        "lock-id": sha("a"),
        "image": IMAGE,
        "name": NAME,
        "tag": "v[1]",
        "layers": 3,
        "bytes": 5_000_000,
        "sent": {"layers": 1, "bytes": 1_200_000},
        "references-sent": 1,
        "documents": [DESCRIBED],
        "documents-sent": 1,
        "changed": True,
    }


def pulled(*documents: Document, **changes: Any) -> PulledWhole:
    values = {
        "name": NAME,
        "image": IMAGE,
        "tag": "demo:v1",
        "lock_id": sha("a"),
        "fetched": 2_000,
        "fresh": True,
        "classes": ("x86-64-v3", "x86-64-v4"),
    }
    return PulledWhole(Pulled(**{**values, **changes}), documents)


def test_a_pull_says_what_it_fetched_and_how_to_check_it() -> None:
    other = replace(BILL, kind="application/x-other")
    assert printed(push_output.show_pulled, pulled(BILL, BILL, other)) == [
        f"image {IMAGE} of lock {sha('a')[:12]}, 2.0 kB fetched",
        "  tagged demo:v1",
        "  references: x86-64-v3, x86-64-v4",
        "  documents: 2 bill of materials (SPDX), 1 application/x-other",
        f"  next: freeze check {NAME}",
    ]


def test_a_pull_of_what_the_engine_has_and_without_references() -> None:
    shown = printed(push_output.show_pulled, pulled(fresh=False, classes=()))
    assert shown[0].endswith(", the engine had it")
    assert shown[2:4] == ["  references: none", "  documents: none"]
    document = push_output.pulled_document(pulled(BILL, fresh=False, classes=()))
    assert (document["fetched"], document["references"]) == (False, [])
    assert document["documents"] == [DESCRIBED]


# Inventories


def library(name: str, version: str, owner: str, *loaded_by: str, file: str) -> SharedLibrary:
    return SharedLibrary(
        name=name,
        roles=("blas",),
        version=version,
        file=file,
        sha256=sha("e"),
        owner=owner,
        loaded_by=loaded_by,
    )


def inventory(*doubles: str, **changes: Any) -> InventoryResult:
    found = Inventory(image=IMAGE, files=900, **changes)
    return InventoryResult(LOCKED, found, LOCKED.folder / "inventory.json", doubles)


def test_one_row_for_each_implementation_however_many_files_it_has() -> None:
    result = inventory(
        libraries=(
            library("OpenBLAS", "0.3.30", "pip:numpy", "numpy", "a", file="/opt/env/one.so"),
            library("OpenBLAS", "0.3.30", "pip:numpy", "b", "c", file="/opt/env/two.so"),
            library("netlib", "", "", file="/usr/lib/libblas.so.3"),
        ),
        linked_in=(
            LinkedIn(name="MKL", roles=("blas",), file="/opt/env/lib/torch.so", owner="pip:torch"),
        ),
    )
    head, *rows, last = printed(inventory_output.show, result)
    assert head.split() == ["for", "library", "owner", "loaded", "by"]
    assert [row.split() for row in rows] == [
        ["blas", "MKL", "pip:torch", "within", "torch.so"],
        ["blas", "OpenBLAS", "0.3.30", "pip:numpy", "a,", "b,", "c", "+1"],
        ["blas", "netlib", "/usr/lib/libblas.so.3", "nothing"],
    ]
    digest = inventory_digest(result.inventory)
    assert last == (
        f"3 files of 900 are numeric libraries, {digest[:19]}; kept in lockfiles/demo/inventory.json"
    )


def test_doubles_are_warned_of_in_their_own_words() -> None:
    shown = printed(inventory_output.show, inventory("2 BLAS: [one] and another"))
    assert shown[0] == "warning: 2 BLAS: [one] and another"
    assert shown[1].startswith("0 files of 900 are numeric libraries")


def test_the_document_of_an_inventory_holds_it_whole() -> None:
    result = inventory("two of them", libraries=(library("x", "1", "pip:x", file="/x.so"),))
    document = inventory_output.document(result)
    assert document["environment"] == "demo"
    assert document["digest"] == inventory_digest(result.inventory)
    assert document["inventory"]["libraries"][0]["file"] == "/x.so"
    assert document["doubles"] == ["two of them"]
