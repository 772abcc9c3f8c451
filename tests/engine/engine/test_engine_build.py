"""Both builders make the same files of one context, with no network, and fail alike."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from freezer.errors import BuildError
from freezer.model.events import SilentReporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freezer.engine.engine import DockerEngine
    from freezer.engine.interface import ImageInfo

pytestmark = pytest.mark.engine


@pytest.fixture(params=["classic", "buildkit"])
def builder(
    request: pytest.FixtureRequest, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> str:
    if request.param == "buildkit" and not engine.info.buildkit:
        pytest.skip("podman builds by buildah alone; it has no second builder")
    monkeypatch.setenv("FREEZER_BUILDER", request.param)
    return str(request.param)


@pytest.fixture
def context(tmp_path: Path, tiny_image: ImageInfo) -> Iterator[Path]:
    folder = tmp_path / "context"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "a").write_bytes(b"alpha")
    (folder / "Dockerfile").write_text(
        f"FROM {tiny_image.tags[0]} AS first\n"
        "ARG WORD\n"
        "COPY files /files\n"
        "RUN cat /proc/net/dev > /interfaces && echo $WORD > /word\n"
        "FROM first\n"
        "RUN exit 9\n"
    )
    return folder


def contents(engine: DockerEngine, image: str, skip: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for _, file in engine.layer_tars(image, skip):
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                if member.isreg():
                    found[member.name] = archive.extractfile(member).read()  # type: ignore[union-attr]
    return found


def test_a_stage_is_built_without_a_network(
    engine: DockerEngine, builder: str, context: Path, tiny_image: ImageInfo
) -> None:
    built = engine.build(
        context,
        target="first",
        build_args={"WORD": "said", "SOURCE_DATE_EPOCH": "1700000000"},
        report=SilentReporter(),
    )
    try:
        made = engine.image(built)
        assert made is not None
        assert made.tags == ()
        assert made.diff_ids[:1] == tiny_image.diff_ids
        found = contents(engine, built, 1)
    finally:
        engine.remove_image(built)
    interfaces = found.pop("interfaces").decode().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert {name: data for name, data in found.items() if data} == {
        "files/a": b"alpha",
        "word": b"said\n",
    }


def test_a_step_that_fails_shows_its_output(
    engine: DockerEngine, builder: str, context: Path, tiny_image: ImageInfo
) -> None:
    (context / "Dockerfile").write_text(
        f"FROM {tiny_image.tags[0]}\nRUN echo fine\nRUN echo first; echo second >&2; exit 9\n"
    )
    with pytest.raises(BuildError) as raised:
        engine.build(context, report=SilentReporter())
    assert "exit 9" in raised.value.what
    assert sorted(raised.value.details) == ["first", "second"]
    assert "9" in str(raised.value.found)


def test_a_dockerfile_that_is_none_is_said_so(
    engine: DockerEngine, builder: str, context: Path
) -> None:
    (context / "Dockerfile").write_text("FORM nothing\n")
    with pytest.raises(BuildError) as raised:
        engine.build(context, report=SilentReporter())
    assert "FORM" in str(raised.value) or "FROM" in str(raised.value)  # what is there, or is not


def test_a_missing_dockerfile_is_said_so(engine: DockerEngine, builder: str, context: Path) -> None:
    with pytest.raises(BuildError) as raised:
        engine.build(context, dockerfile="Other", report=SilentReporter())
    assert "Other" in str(raised.value)
