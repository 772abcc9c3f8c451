"""An image goes to a registry and comes back: same ID, same numbers, and nothing sent twice."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from freezer.check.reference import read_reference, write_reference
from freezer.engine.interface import Engine, ImageInfo
from freezer.fetch.store.store import Store
from freezer.model.record.record import Tensor
from tests.support.debian.bases import SILENT
from tests.support.host.commands import Project, forget, tree
from tests.support.registry.registries import real_registry
from tests.support.signatures.keys import key_pair

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

Away = Callable[[], Project]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run Debian's registry; give ``host:port`` and the folder that it keeps things in."""
    folder = tmp_path_factory.mktemp("registry")
    with real_registry(folder) as host:
        yield host, folder / "registry"


@pytest.fixture(scope="module")
def checked(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return the built project with a reference, and a store in which nothing was compressed."""
    folder = tmp_path_factory.mktemp("push")
    project = built.copy(folder / "project")
    project = project.with_store(folder / "store", without=("packed-layer", "pushed-to"))
    project.freeze("check").good()
    return project


@pytest.fixture(scope="module")
def name(checked: Project, registry: tuple[str, Path]) -> str:
    """Return the name of the pushed image, by digest."""
    said = checked.freeze("push", f"{registry[0]}/team/demo:v1").good().out
    first = said.splitlines()[0]
    assert first.startswith(f"{registry[0]}/team/demo@sha256:")
    assert "1 reference sent" in said
    return first


@pytest.fixture
def away(engine: Engine, built: Project, image: ImageInfo, tmp_path: Path) -> Iterator[Away]:
    """Return a function that leaves the engine without the image, and gives an empty project."""

    def leave() -> Project:
        held = engine.image(image.id)
        if held is not None:
            forget(engine, held)
        (tmp_path / "empty").mkdir(exist_ok=True)
        store = Store.open(tmp_path / f"store-{time.monotonic_ns()}")
        return Project(tmp_path / "empty", store.root, built.name)

    yield leave
    built.freeze("build").good()
    for tag in engine.image(image.id).tags:  # type: ignore[union-attr]
        if not tag.startswith(f"{built.name}:"):
            engine.remove_image(tag)


def test_the_documents_of_an_image_are_signed_pulled_and_verified_elsewhere(
    checked: Project, registry: tuple[str, Path], name: str, away: Away, tmp_path: Path
) -> None:
    secret, shared = (str(path) for path in key_pair(tmp_path))
    folder = tmp_path / "signer"
    project = checked.copy(folder)
    signed = project.freeze("sign", "--key", secret, "--json").good().document
    report = tmp_path / "check.json"
    report.write_text(project.freeze("check", "--json").good().out)
    assert project.freeze("sign", str(report), "--key", secret).good()
    found = project.freeze("verify", str(report), "--key", shared, "--json").good().document
    assert (found["verdict"], found["image"]) == ("identical", signed["image"])

    pushed = project.freeze("push", f"{registry[0]}/signed:v1", "--json").good().document
    assert pushed["documents-sent"] == 4
    assert project.freeze("verify", "--key", shared).good()
    project.freeze("sign", pushed["name"], "--key", secret).good()
    host = away()
    documents = tmp_path / "documents"
    host.freeze("pull", pushed["name"], "--documents", str(documents)).good()
    stored = Path(signed["file"]).read_bytes()
    assert stored in [path.read_bytes() for path in documents.iterdir()]
    verified = host.freeze("verify", pushed["name"], "--key", shared, "--json").good().document
    kinds = {one["type"] for one in verified["statements"] if one["good"]}
    assert kinds == {
        "https://sigstore.dev/cosign/sign/v1",
        "https://slsa.dev/provenance/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
    }
    _, stranger = key_pair(tmp_path, "stranger")
    host.freeze("verify", pushed["name"], "--key", str(stranger)).failed(1, "none of the given")
    host.freeze("verify", name, "--key", shared).failed(1, "not signed")


def test_a_second_push_sends_nothing(
    checked: Project, registry: tuple[str, Path], name: str
) -> None:
    before = tree(registry[1])
    again = checked.freeze("push", checked.name, f"{registry[0]}/team/demo:v1", "--json").good()
    assert again.document["name"] == name
    assert again.document["sent"] == {"layers": 0, "bytes": 0}
    assert (again.document["references-sent"], again.document["changed"]) == (0, False)
    assert tree(registry[1]) == before


def test_another_repository_is_given_the_layers_that_the_registry_has(
    checked: Project, registry: tuple[str, Path], name: str
) -> None:
    other = checked.freeze("push", f"{registry[0]}/other:v1", "--json").good().document
    assert other["sent"] == {"layers": 0, "bytes": 0}
    assert other["name"].partition("@")[2] == name.partition("@")[2]
    assert other["references-sent"] == 1


def test_pulled_where_nothing_is_it_is_the_same_image_and_checks_identical(
    engine: Engine, image: ImageInfo, name: str, away: Away
) -> None:
    host = away()
    said = host.freeze("pull", name, "--json").good().document
    assert said["image"] == image.id
    assert said["fetched"] is True
    assert len(said["references"]) == 1
    pulled = engine.image(image.id)
    assert pulled is not None
    assert pulled.tags == (said["tag"],)
    checked = host.freeze("check", name, "--json").good().document
    assert (checked["verdict"], checked["image"]) == ("identical", image.id)
    assert checked["recorded"] is False
    assert "the engine had it" in host.freeze("pull", name).good().out
    assert tree(host.folder) == {}


def test_an_image_that_docker_pulled_is_checked_by_digest_and_by_id(
    engine: Engine, image: ImageInfo, name: str, away: Away
) -> None:
    host = away()
    engine.pull(name, platform=engine.info.platform, report=SILENT)
    assert engine.image(image.id) is not None
    said = host.freeze("check", image.id).good().out
    assert "identical" in said
    assert "published with" in said


def test_a_check_by_digest_brings_the_image_first(
    image: ImageInfo, name: str, away: Away, checked: Project, tmp_path: Path
) -> None:
    host = away()
    [path] = checked.references
    record = read_reference(path, path.name)
    assert record is not None
    # The numbers of one tensor are others, as on the day that something drifted.
    training = record.trainings[0]
    last = next(o for o in reversed(training.observations) if isinstance(o, Tensor))
    other = last.model_copy(update={"sha256": f"{int(last.sha256, 16) ^ 1:064x}"})
    rest = tuple(other if o is last else o for o in training.observations)
    changed = record.model_copy(
        update={"trainings": (training.model_copy(update={"observations": rest}),)}
    )
    file = write_reference(tmp_path / "drifted", changed)
    host.freeze("check", name, "--reference", str(file)).failed(1, "drifted", str(file))


def test_without_a_reference_of_this_class_nothing_can_be_said(
    image: ImageInfo, checked: Project, tmp_path: Path
) -> None:
    [path] = checked.references
    record = read_reference(path, path.name)
    assert record is not None
    host = record.host.model_copy(update={"class_": "x86-64-v9-other"})
    file = write_reference(tmp_path / "other", record.model_copy(update={"host": host}))
    said = checked.freeze("check", image.id, "--reference", str(file))
    said.failed(1, "not comparable", "x86-64-v9-other", record.host.class_)
