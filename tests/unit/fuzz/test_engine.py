"""What engines answer: images, containers, builds, archives, and what they say of themselves."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from freezer.engine import wire
from freezer.engine.build import buildkit, classic
from freezer.engine.build.build import DOING
from freezer.engine.build.steps import Log
from freezer.engine.connect import contexts
from freezer.engine.connect.probe import read_info
from freezer.engine.images import identity, images, save
from freezer.engine.link import Link
from freezer.engine.run import cpuset
from freezer.engine.run.owner import is_gone, sweep
from freezer.engine.run.run import _taken
from freezer.engine.run.run import ended as result_of
from freezer.image.tar.canonical import DEBIAN_NOISE, canonicalise
from freezer.image.tar.scan import scan
from freezer.model.events import SilentReporter, SilentTask
from tests.support.debian.debs import folder, link, member, tar
from tests.support.fuzz import Target, hold

VERSION = {
    "ApiVersion": "1.41",
    "Version": "20.10.24",
    "Arch": "amd64",
    "Components": [{"Name": "Engine"}],
}
INFO = {
    "Driver": "overlay2", "DockerRootDir": "/var/lib/docker", "NCPU": 2, "MemTotal": 1 << 30, "ID": "x",
    "Architecture": "x86_64", "Runtimes": {"runc": {}, "nvidia": {}},
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}  # fmt: skip
IMAGE = {
    "Id": "sha256:" + "a" * 64, "RepoTags": ["demo:latest", "freezer-id:" + "b" * 64], "Size": 12, "Os": "linux",
    "Architecture": "amd64", "RootFS": {"Type": "layers", "Layers": ["sha256:" + "c" * 64]},
    "RepoDigests": ["demo@sha256:" + "d" * 64],
    "Config": {"Env": ["PATH=/bin", "A"], "Labels": {"a": "b"}, "User": "1000", "WorkingDir": "/w"},
    "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/a/diff", "LowerDir": "/b/diff:/c/diff"}},
}  # fmt: skip
HISTORY = [{"Size": 12, "CreatedBy": "x"}]
CONTAINERS = [{"Id": "1", "Labels": {"freezer.owner": "here:1:2", "freezer.cpuset": "0-1,3"}}]
PULLED = [
    {"status": "Downloading", "id": "x", "progressDetail": {"current": 5, "total": 9}},
    {"status": "Done"},
]


class Answers:
    """A ``docker.APIClient`` whose every answer is the same document."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        if name not in self._answers:
            return lambda *_, **__: self._answers["other"]
        return lambda *_, **__: self._answers[name]


INFORMATION = read_info(VERSION, INFO, "unix:///x")


def engine(**answers: Any) -> Link:
    return Link(Answers(**answers), INFORMATION)


def image(data: bytes) -> object:
    found = images.inspect(engine(inspect_image=json.loads(data), other=None), "demo")
    if found is not None:
        for text in (
            found.id,
            found.os,
            found.architecture,
            found.user,
            found.working_dir,
            *found.tags,
            *found.diff_ids,
        ):
            if not isinstance(text, str):
                raise TypeError(found)
    return found


def listing(data: bytes) -> object:
    one = engine(inspect_image=IMAGE, images=json.loads(data), other=None)
    return images.listed(one), list(images.chains(one))


def sizes(data: bytes) -> object:
    return images.layer_sizes(
        engine(inspect_image=IMAGE, history=json.loads(data), other=None), "demo"
    )


def containers(data: bytes) -> object:
    one = engine(containers=json.loads(data), other=None)
    sweep(one)
    with one.doing("listing containers"):
        return cpuset.choose(1, range(2), _taken(one))


def ended(data: bytes) -> object:
    one = engine(wait=json.loads(data), inspect_container=json.loads(data), other=None)
    with one.doing("running a container"):
        return result_of(one, "1")


def oneself(data: bytes) -> object:
    document = json.loads(data)
    try:
        return read_info(document, document, "unix:///x")
    except ValueError:
        return None  # what connecting says of an address that does not answer as an engine


def pulled(data: bytes) -> object:
    one = engine(pull=wire.documents([data]), inspect_image=IMAGE, other=None)
    return images.pull(
        one, "demo@sha256:" + "a" * 64, platform="linux/amd64", report=SilentReporter()
    )


def built(kind: Any, data: bytes) -> object:
    one = engine(other=None)
    with one.doing(DOING):
        return Log(SilentReporter(), SilentTask()).follow(
            kind.events(wire.documents([data[:30], data[30:]]))
        )


def context(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        (home / ".docker/contexts/meta").mkdir(parents=True)
        (home / ".docker/config.json").write_bytes(data)
        name = contexts.current({}, home) or "other"
        digest = contexts._digest(name)
        (home / ".docker/contexts/meta" / digest).mkdir()
        (home / ".docker/contexts/meta" / digest / "meta.json").write_bytes(data)
        return contexts.endpoint(name, {}, home)


def saved(data: bytes) -> object:
    one = engine(other=None)
    with tempfile.TemporaryDirectory() as place, one.doing("saving layers"):
        return save.extract(io.BytesIO(data), {"sha256:" + "0" * 64: Path(place, "layer")})


def canonical(data: bytes) -> object:
    one = engine(other=None)
    with one.doing("reading a layer"):
        return canonicalise(io.BytesIO(data), io.BytesIO(), epoch=0, drop=DEBIAN_NOISE)


def scanned(data: bytes) -> object:
    return list(scan(io.BytesIO(data)))


def label(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return is_gone(text), cpuset.available_in(text), identity.id_of_tags([text])


LAYER = tar([folder("etc/"), member("etc/x", b"data"), link("etc/y", "x"), member("etc/.wh.z"),
             member("a/b.pyc", b"\xa7\r\r\n" + bytes(12)), member("etc/h", type=b"1", linkname="etc/x")])  # fmt: skip
ARCHIVE = tar(
    [
        member("a.json", b"{}"),
        member("l/layer.tar", LAYER),
        member("manifest.json", b"[]"),
        link("m/layer.tar", "../l/layer.tar"),
    ]
)
TRACE = base64.b64encode(
    b"\x0a\x10\x0a\x02d1\x1a\x02[1\x2a\x04\x08\x01\x10\x02\x1a\x06\x0a\x02d1\x22\x00"
).decode()
LINES = b"\n".join(json.dumps(one).encode() for one in (
    {"stream": "Step 1/2 : FROM x"}, {"stream": " ---> abc"}, {"stream": "out\n"}, {"error": "no", "errorDetail": {}},
    {"aux": {"ID": "sha256:" + "a" * 64}}, {"stream": "Successfully built " + "a" * 12}))  # fmt: skip
KIT = b"\n".join(json.dumps(one).encode() for one in (
    {"id": "moby.buildkit.trace", "aux": TRACE}, {"id": "moby.image.id", "aux": {"ID": "sha256:" + "a" * 64}}))  # fmt: skip
CONTEXT = {
    "currentContext": "other",
    "Name": "other",
    "Endpoints": {"docker": {"Host": "tcp://h:1", "SkipTLSVerify": False}},
}


def as_json(value: Any) -> list[bytes]:
    return [json.dumps(value).encode()]


def valid(parse: Any) -> Any:
    """Return a parser for what has been through a JSON parser already: the SDK's."""

    def parsed(data: bytes) -> object:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return None
        return parse(data)

    return parsed


TARGETS = [
    Target("engine: an image", valid(image), as_json(IMAGE), "json"),
    Target("engine: images", valid(listing), as_json([IMAGE]), "json"),
    Target("engine: history", valid(sizes), as_json(HISTORY), "json"),
    Target("engine: containers", valid(containers), as_json(CONTAINERS), "json"),
    Target("engine: a container's end", valid(ended), as_json({"StatusCode": 0, "State": {"OOMKilled": False}}), "json"),
    Target("engine: version and info", valid(oneself), [*as_json(VERSION), *as_json(INFO)], "json"),
    Target("engine: a pull", pulled, [b"\n".join(json.dumps(one).encode() for one in PULLED)], "text"),
    Target("engine: a classic build", lambda data: built(classic, data), [LINES], "text"),
    Target("engine: BuildKit", lambda data: built(buildkit, data), [KIT], "text"),
    Target("engine: BuildKit's trace", lambda data: list(buildkit.trace(data)), [base64.b64decode(TRACE)]),
    Target("Docker's contexts", context, as_json(CONTEXT), "json"),
    Target("engine: an image's archive", saved, [ARCHIVE]),
    Target("engine: a layer", canonical, [LAYER]),
    Target("store: a chunk of a layer", scanned, [LAYER]),
    Target("engine: labels", label, [b"here:1:2", b"0-1,3 available: 0-3", b"freezer-id:" + b"a" * 64]),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


@pytest.mark.parametrize("answer", [[], None, "text", 1, {}, [[]], [None], True])
def test_answers_of_another_shape(answer: Any) -> None:
    """Each of the engine's calls, answered by the same odd document."""
    data = json.dumps(answer).encode()
    for target in TARGETS:
        target_only = Target(target.name, target.parse, [data], target.form)
        hold(target_only, examples=1)
