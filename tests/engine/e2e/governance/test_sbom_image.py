"""The bill of materials of a real image: complete, and any edit of document or image is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from tests.support.host.commands import Project, forget

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def verified(project: Project, path: Path, *more: str) -> tuple[int, dict[str, dict[str, object]]]:
    done = project.freeze("sbom", "--verify", str(path), "--json", *more)
    return done.code, json.loads(done.out)


def test_document_lock_and_image_agree(
    engine: Engine, built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    for form in ("cyclonedx", "cyclonedx-1.7", "spdx"):
        path = tmp_path / f"{form}.json"
        built.freeze("sbom", "--format", form, "-o", str(path)).good()
        assert path.read_text() == built.freeze("sbom", "--format", form).good().out
    code, found = verified(built, tmp_path / "spdx.json")
    assert (code, found["good"], found["image"]["id"]) == (0, True, image.id)
    # Every file of a package belongs to one component; what is left was made by the build.
    assert found["image"]["contested"] == []
    assert found["image"]["files-of-components"] > 1000  # type: ignore[operator]
    sentence = built.freeze("sbom", "--verify", str(tmp_path / "cyclonedx.json")).good().out
    assert "is the bill of materials of lock" in sentence

    edited = tmp_path / "edited.json"
    document = json.loads((tmp_path / "cyclonedx.json").read_text())
    document["components"][0]["version"] = "0.0.1"
    edited.write_text(json.dumps(document))
    code, found = verified(built, edited)
    assert (code, len(found["document"]["changed"])) == (1, 1)  # type: ignore[arg-type]


def test_an_edited_image_is_found(
    engine: Engine, built: Project, image: ImageInfo, tmp_path: Path
) -> None:
    path = tmp_path / "sbom.json"
    built.freeze("sbom", "-o", str(path)).good()
    context = tmp_path / "context"
    context.mkdir()
    edit = (
        "import numpy, pathlib; p = pathlib.Path(numpy.__file__); "
        "p.write_text(p.read_text() + '#'); d = p.parents[1] / 'evil-6.6.dist-info'; d.mkdir(); "
        "(d / 'RECORD').write_text('evil-6.6.dist-info/RECORD,,')"
    )
    (context / "Dockerfile").write_text(
        f"FROM {image.id}\nUSER 0\nRUN {json.dumps(['python', '-c', edit])}\n"
    )
    import docker

    client = docker.from_env()
    other, _ = client.images.build(path=str(context), rm=True, forcerm=True, network_mode="none")
    try:
        code, found = verified(built, path, "--image", str(other.id))
        assert (code, found["document"]["same"], found["image"]["of-lock"]) == (1, True, False)
        assert found["image"]["unlisted"] == ["pip evil 6.6"]
        assert len(found["image"]["changed"]) == 1  # type: ignore[arg-type]
    finally:
        made = engine.image(str(other.id))
        if made is not None:
            forget(engine, made)
