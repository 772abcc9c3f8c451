"""Pushing and pulling against a registry in memory: little is sent, nothing is believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from freezer.check.published_references import KIND, reference_artifact
from freezer.check.reference import write_reference
from freezer.errors import (
    CheckError,
    FetchError,
    FreezerError,
    IntegrityError,
    SpecError,
)
from freezer.fetch.config import Config
from freezer.fetch.registry.push import Destination
from freezer.fetch.registry.reference import parse_reference
from freezer.fetch.registry.referrers import attach
from freezer.fetch.registry.repository import Repository
from freezer.flows.image.config_cache import keep_config
from freezer.flows.registry.references import put_small
from freezer.model import oci
from freezer.model.record.verdict import Word
from tests.support.host.hosts import (
    BASE,
    CLASS,
    CONFIG,
    ID,
    LIGHT,
    SYSTEM,
    Host,
    reference,
    refused,
)
from tests.support.project.records import lines, record
from tests.support.registry.memory_registry import MemoryRegistry
from tests.support.registry.registries import Answer, make_config, sha

# Push


def test_an_image_is_pushed_whole_with_its_own_config(home: Host, registry: MemoryRegistry) -> None:
    done = home.push()
    repository, _, digest = done.name.partition("@")
    assert repository == f"{registry.host}/team/demo"
    assert (done.layers, done.sent, done.references, done.fresh) == (3, 3, 1, True)
    assert registry.manifests["team/demo", "v1"] == registry.manifests["team/demo", digest]
    assert registry.blobs["team/demo", sha(CONFIG)] == CONFIG


def test_only_what_the_store_lacks_is_asked_of_the_engine(home: Host) -> None:
    home.push()
    assert home.held.saved == [sha(BASE)]


def test_without_its_config_in_the_store_the_engine_is_asked(home: Host) -> None:
    home.opened.store.path(sha(CONFIG)[7:]).unlink()
    home.push()
    assert home.held.saved == [sha(CONFIG), sha(BASE)]


def test_a_second_push_sends_nothing_and_compresses_nothing(
    home: Host, registry: MemoryRegistry
) -> None:
    first = home.push()
    registry.asked.clear()
    home.held.saved.clear()
    again = home.push()
    assert registry.sent() == []
    assert home.held.saved == []
    assert again == replace(first, sent=0, sent_bytes=0, references=0, fresh=False)


def test_a_changed_layer_is_the_only_one_that_is_sent(home: Host, registry: MemoryRegistry) -> None:
    home.push()
    other = make_config([BASE, SYSTEM, b"other"], Labels={"org.freezer.lock-id": ID})
    image = home.held.make(other, BASE, SYSTEM, b"other")
    keep_config(home.opened.store, image, other)
    home.opened.store.put_memo("verified-image", ID, image.id)
    done = home.push("team/demo:v2")
    assert (done.layers, done.sent) == (3, 1)


def test_another_repository_of_the_registry_gets_layers_by_mounting(
    home: Host, registry: MemoryRegistry
) -> None:
    home.push()
    registry.asked.clear()
    done = home.push("other:v1")
    assert done.sent == 0
    assert done.fresh
    uploads = [one.path for one in registry.asked if one.method == "POST"]
    assert sum("from=team/demo" in path for path in uploads) == 3
    assert registry.blobs["other", sha(CONFIG)] == CONFIG


def test_what_the_registry_lost_is_compressed_again(home: Host, registry: MemoryRegistry) -> None:
    home.push()
    for digest in _layers(registry):
        del registry.blobs["team/demo", digest]
    for path in (home.opened.store.root / "blobs").rglob("*"):
        if path.is_file() and path.name != sha(CONFIG)[7:]:
            path.unlink()
    assert home.push().sent == 3
    assert sorted(home.held.saved) == sorted([sha(BASE), sha(BASE), sha(SYSTEM), sha(LIGHT)])


def test_a_tag_that_moved_is_set_again(home: Host, registry: MemoryRegistry) -> None:
    first = home.push()
    registry.manifests["team/demo", "v1"] = ("x/y", b'{"other": 1}')
    assert home.push().fresh
    assert sha(registry.manifests["team/demo", "v1"][1]) == first.name.partition("@")[2]


def test_an_upload_that_is_cut_off_goes_on(home: Host, registry: MemoryRegistry) -> None:
    registry.cuts = [3, 3, 3]
    home.push()
    assert any("Content-Range" in one.headers for one in registry.asked)


def test_nothing_is_tagged_when_a_layer_is_refused(home: Host, registry: MemoryRegistry) -> None:
    registry.instead["POST", "blobs/uploads"] = [Answer(b"{}", 403)] * 9
    refused(home.push, FetchError, "no right to push there", "docker login")
    assert registry.manifests == {}


def test_without_a_verified_image_there_is_nothing_to_push(home: Host) -> None:
    home.held.configs.clear()
    refused(home.push, CheckError, "no verified image", "freeze build demo")


@pytest.mark.parametrize("name", [f"demo@{sha(b'x')}", "Demo", "demo:", "user:secret@demo"])
def test_a_name_that_cannot_be_pushed_to_is_refused(
    home: Host, registry: MemoryRegistry, name: str
) -> None:
    error = refused(lambda: home.push(name), SpecError)
    assert "registry.example.org" in (error.hint or "")
    assert "secret" not in str(error)
    assert registry.asked == []


# References


@pytest.mark.parametrize("api", [True, False], ids=["api", "tag"])
def test_references_of_several_classes_go_and_come(
    home: Host, away: Host, registry: MemoryRegistry, api: bool
) -> None:
    registry.referrers = api
    write_reference(home.references, reference(**{"class": "armv8-neoverse"}))
    done = home.push()
    assert done.references == 2
    assert away.pull(done.name).classes == ("armv8-neoverse", CLASS)
    assert home.push().references == 0


def test_a_reference_of_an_earlier_lock_stays_at_home(home: Host) -> None:
    write_reference(home.references, record())
    assert home.push().references == 0


def test_a_spoiled_reference_is_named_before_anything_is_sent(
    home: Host, registry: MemoryRegistry
) -> None:
    path = home.references / "references" / f"{CLASS}.json"
    path.write_bytes(path.read_bytes().replace(b"numpy", b"mumpy"))
    refused(home.push, CheckError, f"references/{CLASS}.json", "changed by something other")
    assert registry.asked == []


def test_a_reference_with_the_same_numbers_is_not_sent_again(home: Host) -> None:
    home.push()
    write_reference(home.references, reference(kernel="6.99"))
    assert home.push().references == 0


def test_a_reference_with_other_numbers_takes_the_place_of_the_old_one(
    home: Host, away: Host
) -> None:
    name = home.push().name
    write_reference(home.references, reference(lines(loss=0.25)))
    assert home.push().references == 1
    assert "other numbers" in home.ear.warnings[0]
    assert away.check(name).verdict.word is Word.DRIFTED
    away.held.told[1:] = lines(loss=0.25)
    assert away.check(name).verdict.word is Word.IDENTICAL
    assert home.push().references == 0


def test_a_reference_that_the_registry_lost_is_replaced(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    name = home.push().name
    lost = next(d for (_, d), data in registry.blobs.items() if b"freezer/record/1" in data)
    registry.blobs["team/demo", lost] = b"{}"
    refused(lambda: away.check(name), IntegrityError, "another digest")
    del registry.blobs["team/demo", lost]
    assert home.push().references == 1
    assert away.check(name).verdict.word is Word.IDENTICAL


def test_two_references_that_disagree_are_named(home: Host, away: Host, tmp_path: Path) -> None:
    name = home.push().name
    repository = Repository(parse_reference(name), Config(), writes=True)
    digest = name.partition("@")[2]
    data = write_reference(tmp_path, reference(lines(loss=0.25))).read_bytes()
    put_small(Destination(repository), data)
    subject = oci.descriptor(oci.MANIFEST, digest, 1)
    attach(
        repository,
        Destination(repository),
        reference_artifact(CLASS, ID, data, subject),
        KIND,
        digest,
    )
    refused(lambda: away.check(name), CheckError, "two references", "--reference")
    assert away.pull(name).classes == ()
    assert "two references" in away.ear.warnings[0]


# Pull


def test_a_pulled_image_is_the_one_that_was_pushed(home: Host, away: Host) -> None:
    pushed = home.push()
    done = away.pull(pushed.name)
    assert done.image == pushed.image == sha(CONFIG)
    assert away.held.configs[sha(CONFIG)] == CONFIG
    assert (done.lock_id, done.fresh, done.fetched) == (ID, True, pushed.size)
    assert away.held.tags == {f"{away.address}/team/demo:{ID[:12]}": sha(CONFIG)}


def test_a_tag_in_the_name_is_the_tag_that_it_gets(home: Host, away: Host) -> None:
    name, _, digest = home.push().name.partition("@")
    assert away.pull(f"{name}:mine@{digest}").tag == f"{name}:mine"


def test_an_image_that_is_there_is_not_fetched(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    name = home.push().name
    away.pull(name)
    registry.asked.clear()
    again = away.pull(name)
    assert (again.fresh, again.fetched) == (False, 0)
    assert not any(f"/{sha(BASE)}" in one.path for one in registry.asked)


def test_layers_that_the_engine_has_are_not_fetched(home: Host, away: Host) -> None:
    name = home.push().name
    away.held.make(make_config([BASE]), BASE)
    away.pull(name)
    assert away.held.given == [sha(SYSTEM), sha(LIGHT)]


def test_a_tag_alone_is_not_enough(away: Host) -> None:
    refused(lambda: away.pull(f"{away.address}/team/demo:v1"), SpecError, "a tag may move")


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
def test_other_bytes_than_were_asked_for_are_refused(
    home: Host, away: Host, registry: MemoryRegistry, which: str
) -> None:
    name = home.push().name
    digest = name.partition("@")[2]
    if which == "manifest":
        other = registry.manifests["team/demo", digest][1] + b" "
        registry.manifests["team/demo", digest] = ("x/y", other)
    else:
        wanted = sha(CONFIG) if which == "config" else _layers(registry)[0]
        data = registry.blobs["team/demo", wanted]
        registry.blobs["team/demo", wanted] = bytes([data[0] ^ 1]) + data[1:]
    refused(lambda: away.pull(name), IntegrityError, "another digest")
    assert away.held.configs == {}


def _layers(registry: MemoryRegistry) -> list[str]:
    return [digest for (_, digest), data in registry.blobs.items() if data[:2] == b"\x1f\x8b"]


def test_a_layer_that_is_not_what_the_config_says_is_refused(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    other = make_config([BASE, SYSTEM, b"lie"], Labels={"org.freezer.lock-id": ID})
    keep_config(home.opened.store, home.held.image(sha(CONFIG)), other)  # type: ignore[arg-type]
    name = home.push().name
    refused(
        lambda: away.pull(name),
        IntegrityError,
        "does not have the diff ID in the image's config",
        sha(b"lie"),
    )
    assert away.held.configs == {}


def test_an_image_of_no_lock_is_refused_before_anything_is_fetched(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    other = make_config([BASE, SYSTEM, LIGHT], Labels={"org.freezer.lock-id": "me"})
    keep_config(home.opened.store, home.held.image(sha(CONFIG)), other)  # type: ignore[arg-type]
    name = home.push().name
    refused(lambda: away.pull(name), CheckError, "not the image of a lock")
    assert list((away.opened.store.root / "blobs" / "sha256").iterdir()) == []


def test_an_image_for_another_machine_is_refused(home: Host, away: Host) -> None:
    name = home.push().name
    away.held.info = replace(away.held.info, architecture="aarch64")
    refused(lambda: away.pull(name), FreezerError, "linux/arm64")
