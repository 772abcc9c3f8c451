from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import LayerFile, RunOptions, RunResult
from freezer.errors import BuildError, EngineError, HostError, IntegrityError
from freezer.fetch.store.store import Store
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_id
from freezer.model.events import SilentReporter
from freezer.model.lock import DebianPackage
from tests.support.debian.debs import BUILT, folder, make_deb, member

ENDED_WELL = RunResult(0, b"", b"", False, False, 1.0)


def hand_out(root: bytes, fetch: Mapping[str, Path]) -> None:
    """Give out the packed root as an engine does: as a tar of the one file."""
    ((path, target),) = fetch.items()
    with tarfile.open(target, "w") as archive:
        info = tarfile.TarInfo(path.rpartition("/")[2])
        info.size = len(root)
        archive.addfile(info, io.BytesIO(root))


class Stage:
    """An engine that plays the container: keeps what it is given, hands out a finished root."""

    class info:  # noqa: N801
        architecture = "x86_64"

    def __init__(self, result: RunResult = ENDED_WELL) -> None:
        self.result = result
        self.loaded: list[list[str]] = []
        self.removed: list[str] = []
        self.uploads: list[dict[str, bytes]] = []
        self.options: list[RunOptions] = []

    def load(self, config: bytes, layers: Sequence[LayerFile]) -> Any:
        (layer,) = layers
        assert layer.path is not None
        data = layer.path.read_bytes()
        assert layer.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            self.loaded.append(archive.getnames())
        return type("Image", (), {"id": image_id(config)})

    def run(
        self,
        image: str,
        command: Sequence[str],
        options: RunOptions,
        *,
        files: Path,
        fetch: Mapping[str, Path],
    ) -> RunResult:
        with tarfile.open(files) as archive:
            self.uploads.append(
                {i.name: archive.extractfile(i).read() for i in archive if i.isreg()}  # type: ignore[union-attr]
            )
        self.options.append(options)
        root = io.BytesIO()
        with tarfile.open(fileobj=root, mode="w") as archive:
            for info, data in [
                folder("/"),
                folder("/etc"),
                member("/etc/done", b"yes"),
                member("/etc/hostname", b"3f2a"),
                folder("/dev"),
                member("/dev/console"),
                folder("/freezer-system"),
                member("/var/log/dpkg.log", b"10:31"),
            ]:
                archive.addfile(info, io.BytesIO(data))
        hand_out(root.getvalue(), fetch)
        return self.result

    def remove_image(self, reference: str) -> None:
        self.removed.append(reference)


class Bench:
    """A store with packages in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store.open(folder / "store")

    def package(self, name: str, moment: int = BUILT) -> DebianPackage:
        path = make_deb(self.folder / f"{name}.deb", [member(f"./etc/{name}", b"1")], moment=moment)
        return DebianPackage(
            source="debian", file=f"pool/{name}_1%3a2_all.deb", size=path.stat().st_size,
            sha256=self.store.put_file(path), name=name, version="1", architecture="all",
            reason="test",
        )  # fmt: skip

    def make(
        self, stage: Any, *packages: DebianPackage, architecture: str = "x86_64"
    ) -> tuple[bytes, LayerFile]:
        return make_base(
            "bookworm",
            packages,
            architecture,
            engine=stage,
            store=self.store,
            report=SilentReporter(),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def content(layer: LayerFile) -> list[str]:
    assert layer.path is not None
    with tarfile.open(layer.path) as archive:
        return archive.getnames()


def test_packages_are_unpacked_then_installed_then_freed_of_noise(bench: Bench) -> None:
    stage = Stage()
    _, layer = bench.make(stage, bench.package("a"), bench.package("b"))
    assert {"etc/a", "etc/b"} <= set(stage.loaded[0])
    assert set(stage.uploads[0]) == {
        "freezer-system/a_1%3a2_all.deb",
        "freezer-system/b_1%3a2_all.deb",
        "freezer-system/bootstrap.sh",
    }
    assert content(layer) == ["dev", "etc", "etc/done"]


def test_the_container_has_no_network(bench: Bench) -> None:
    stage = Stage()
    bench.make(stage, bench.package("a"))
    assert stage.options[0].network == "none"


def test_the_clock_is_the_newest_packages(bench: Bench) -> None:
    stage = Stage()
    config, layer = bench.make(stage, bench.package("a", 1_000_000_000), bench.package("b", 9))
    assert b"SOURCE_DATE_EPOCH=1000000000 " in stage.uploads[0]["freezer-system/bootstrap.sh"]
    assert b'"created":"2001-09-09T01:46:40Z"' in config
    assert layer.path is not None
    with tarfile.open(layer.path) as archive:
        assert {info.mtime for info in archive} == {1_000_000_000}


def test_a_base_is_made_once_whatever_the_order_of_its_packages(bench: Bench) -> None:
    stage = Stage()
    a, b = bench.package("a"), bench.package("b")
    assert bench.make(stage, a, b) == bench.make(stage, b, a)
    assert len(stage.loaded) == 1
    bench.make(stage, a)
    assert len(stage.loaded) == 2


def test_a_layer_that_was_thrown_away_is_made_again(bench: Bench) -> None:
    stage = Stage()
    package = bench.package("a")
    made = bench.make(stage, package)
    assert made[1].path is not None
    made[1].path.unlink()
    assert bench.make(stage, package) == made
    assert len(stage.loaded) == 2


def test_the_unpacked_image_goes_when_all_is_well(bench: Bench) -> None:
    stage = Stage()
    bench.make(stage, bench.package("a"))
    assert len(stage.removed) == 1


def failure(
    bench: Bench, result: RunResult, architecture: str = "x86_64"
) -> tuple[BuildError, Stage]:
    stage = Stage(result)
    with pytest.raises(BuildError) as caught:
        bench.make(stage, bench.package("a"), architecture=architecture)
    return caught.value, stage


def ended(code: int, stderr: str, *, timed_out: bool = False) -> RunResult:
    return RunResult(code, b"", stderr.encode(), timed_out, False, 1.0)


def test_a_failure_leaves_nothing_and_shows_what_dpkg_said_less_the_noise(bench: Bench) -> None:
    noise = "update-alternatives: warning: skip\ndpkg: warning: old\n\n" * 20
    error, stage = failure(bench, ended(1, f"dpkg: error processing a\n because\n{noise}"))
    assert len(stage.removed) == 1
    assert error.details == ("dpkg: error processing a", " because")
    assert error.found == "exit code 1"
    assert "see the packages' own messages" in (error.hint or "")
    again = Stage()
    bench.make(again, bench.package("a"))
    assert len(again.loaded) == 1


def test_a_base_for_another_machine_than_the_engines_is_explained(bench: Bench) -> None:
    error, _ = failure(bench, ended(1, "exec format error"), "aarch64")
    assert "packages for aarch64" in error.what
    assert error.found == "exec format error"
    assert "x86_64" in (error.expected or "")
    assert error.hint


class Refusing(Stage):
    def run(self, *arguments: Any, **options: Any) -> RunResult:
        raise EngineError("the engine refused", found="exec format error")


def test_an_engine_that_cannot_even_start_a_foreign_shell_is_explained_too(bench: Bench) -> None:
    stage = Refusing()
    with pytest.raises(BuildError, match="packages for aarch64"):
        bench.make(stage, bench.package("a"), architecture="aarch64")
    assert len(stage.removed) == 1


def test_an_engine_that_fails_speaks_for_itself(bench: Bench) -> None:
    with pytest.raises(EngineError, match="refused"):
        bench.make(Refusing(), bench.package("a"))


def test_packages_that_take_forever_are_given_up(bench: Bench) -> None:
    error, _ = failure(bench, ended(137, "", timed_out=True))
    assert "after 1800 seconds" in error.what


def test_a_package_that_is_not_in_the_store_is_missed_before_anything_starts(bench: Bench) -> None:
    stage = Stage()
    package = bench.package("a")
    bench.store.path(package.sha256).unlink()
    with pytest.raises(HostError, match="does not contain"):
        bench.make(stage, package)
    assert not stage.loaded


def test_a_package_that_is_none_is_named(bench: Bench) -> None:
    package = bench.package("a")
    fake = bench.store.put_bytes(b"<html>")
    with pytest.raises(IntegrityError, match=r"a_1%3a2_all\.deb"):
        bench.make(Stage(), package.model_copy(update={"sha256": fake}))


def test_a_root_that_is_no_file_is_refused(bench: Bench) -> None:
    class Odd(Stage):
        def run(self, *arguments: Any, fetch: Mapping[str, Path], **options: Any) -> RunResult:
            ((_, target),) = fetch.items()
            with tarfile.open(target, "w") as archive:
                archive.addfile(folder("/root.tar")[0])
            return ENDED_WELL

    with pytest.raises(BuildError, match="did not return the base's root as one file"):
        bench.make(Odd(), bench.package("a"))


def test_the_finished_layer_may_hold_no_devices(bench: Bench) -> None:
    class Hostile(Stage):
        def run(self, *arguments: Any, fetch: Mapping[str, Path], **options: Any) -> RunResult:
            root = io.BytesIO()
            with tarfile.open(fileobj=root, mode="w") as archive:
                archive.addfile(member("/etc/sda", type=tarfile.BLKTYPE)[0])
            hand_out(root.getvalue(), fetch)
            return ENDED_WELL

    stage = Hostile()
    with pytest.raises(IntegrityError, match="etc/sda"):
        bench.make(stage, bench.package("a"))
    assert len(stage.removed) == 1
