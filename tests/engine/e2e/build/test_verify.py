"""An image that holds something other than its lock says is named for it, and never tagged."""

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, ImageInfo
from freezer.errors import VerificationError
from freezer.fetch.store.store import Store
from freezer.image.assemble.assemble import assemble
from freezer.image.base import ensure_base
from freezer.image.verify import Expected, take_account, verify
from tests.support.debian.bases import SILENT
from tests.support.host.commands import Project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

SITE = "/opt/env/lib/python3.11/site-packages"


@pytest.fixture(scope="module")
def expected(built: Project, engine: Engine) -> Mapping[str, Expected]:
    """Return every path that the lock's image must hold."""
    lock, store = built.lock, Store(built.store)
    base = ensure_base(lock, engine=engine, store=store, report=SILENT)
    parts = assemble(lock, built.lock_id, base, engine=engine, store=store, report=SILENT)
    return parts.expected


def test_the_image_itself_holds_what_the_lock_says(
    built: Project, engine: Engine, image: ImageInfo, expected: Mapping[str, Expected]
) -> None:
    account = take_account(engine, image.id)
    verify(built.lock, account, expected)
    assert len(account.files) > 1000
    assert account.files.keys() == expected.keys()


METADATA = r"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n"
CONTROL = (
    r"Package: evil\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
    r"Maintainer: x <x@example.org>\nDescription: x\n\n"
)
CHANGES = {
    "file": ("touch /opt/env/lib/more.txt", ["not in the lock: /opt/env/lib/more.txt"]),
    "byte": (
        f"printf '#' >> {SITE}/numpy/__init__.py",
        [f"other content: {SITE}/numpy/__init__.py"],
    ),
    "missing": (f"rm {SITE}/numpy/version.py", [f"missing: {SITE}/numpy/version.py"]),
    "mode": (f"chmod 4755 {SITE}/numpy/exceptions.py", ["other mode", "4755"]),
    "link": ("ln -sf /bin/true /opt/env/bin/python3", ["other content: /opt/env/bin/python3"]),
    "package": (
        f"mkdir {SITE}/evil-1.0.dist-info && printf '{METADATA}' > {SITE}/evil-1.0.dist-info/METADATA",
        ["Python package not in the lock: evil 1.0"],
    ),
    "debian": (
        "sed -i '0,/^Version: .*/s//Version: 0.0.1/' /var/lib/dpkg/status",
        ["Debian package", "is 0.0.1"],
    ),
    "installed": (
        f"printf '{CONTROL}' >> /var/lib/dpkg/status && touch /var/lib/dpkg/info/evil.list",
        ["Debian package not in the lock: evil 1 all"],
    ),
    "system": (
        "printf '#' >> /usr/bin/savelog",
        ["changed after its Debian package was unpacked: /usr/bin/savelog"],
    ),
    "itself": (
        "printf '#' >> /opt/freezer/freeze.lock.yaml",
        ["other content: /opt/freezer/freeze.lock.yaml"],
    ),
}


@pytest.fixture(scope="module")
def differences(
    built: Project,
    engine: Engine,
    image: ImageInfo,
    expected: Mapping[str, Expected],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, ...]]:
    """Return what is found wrong with an image that all the changes were made to."""
    folder: Path = tmp_path_factory.mktemp("changed")
    steps = "".join(f"RUN {command}\n" for command, _ in CHANGES.values())
    (folder / "Dockerfile").write_text(f"FROM {image.tags[0]}\nUSER 0:0\n{steps}")
    made = engine.build(folder, report=SILENT)
    account = take_account(engine, made)
    with pytest.raises(VerificationError, match="does not match the lock") as caught:
        verify(built.lock, account, expected)
    yield caught.value.details
    engine.remove_image(made)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_found_and_named(differences: tuple[str, ...], change: str) -> None:
    words = CHANGES[change][1]
    assert [line for line in differences if all(word in line for word in words)]


def test_nothing_else_is_found(differences: tuple[str, ...]) -> None:
    # The package that came along is found as a package and as a file.
    assert len(differences) == len(CHANGES) + 1, differences


def spoil(store: Store, project: Project) -> None:
    """Make the store remember another last layer than the one it made: with a file more."""
    own = min(
        store.root.glob("memos/layer/*/*"), key=lambda path: json.loads(path.read_bytes())["size"]
    )
    layer = io.BytesIO(store.path(json.loads(own.read_bytes())["sha256"]).read_bytes())
    with tarfile.open(fileobj=layer, mode="a") as archive:
        archive.addfile(tarfile.TarInfo("opt/env/lib/more.txt"))
    sha256 = store.put_bytes(layer.getvalue())
    own.unlink()  # it is a link, and the other name's content is to stay
    own.write_text(json.dumps({"sha256": sha256, "size": len(layer.getvalue())}))


def test_what_is_not_verified_is_not_tagged(
    elsewhere: Project, engine: Engine, image: ImageInfo, tmp_path: Path
) -> None:
    project = elsewhere.with_store(tmp_path / "store")
    before = [info.id for info in engine.images(label=f"org.freezer.lock-id={project.lock_id}")]
    spoil(Store(project.store), project)
    project.freeze("build", project.name, "--force").failed(
        1, "not in the lock: /opt/env/lib/more.txt"
    )
    for tag in image.tags:
        found = engine.image(tag)
        assert found is not None
        assert found.id == image.id
    after = [info.id for info in engine.images(label=f"org.freezer.lock-id={project.lock_id}")]
    assert set(after) <= set(before)
