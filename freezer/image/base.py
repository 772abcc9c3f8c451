"""The base image in the engine: made or pulled if missing, and compared with the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.engine.interface import LayerFile
from freezer.errors import IntegrityError
from freezer.image.debian.bootstrap import make_base
from freezer.image.layout import BASE_REPOSITORY
from freezer.image.oci.config import image_id

if TYPE_CHECKING:
    from freezer.engine.interface import Engine, ImageInfo
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import Base, BootstrapBase, Lock, RegistryBase

_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_RELOCK = "lock again with `freeze lock --upgrade`, and review the changes before you trust it"


def ensure_base(lock: Lock, *, engine: Engine, store: Store, report: Reporter) -> str:
    """Return the engine's name of the lock's base; see ``engine_base``."""
    return engine_base(lock.base, lock.platform, engine=engine, store=store, report=report)


def engine_base(
    base: Base, platform: str, *, engine: Engine, store: Store, report: Reporter
) -> str:
    """Return the engine's name of a base; make or pull it if missing.

    The packages of a bootstrapped base must be in the store unless the engine has it. Raises
    ``IntegrityError`` when the result is not what was locked.
    """
    if base.kind == "bootstrap":
        return _bootstrapped(base, platform, engine, store, report)
    return _pulled(base, platform, engine, store, report)


def base_blobs(base: Base) -> tuple[str, ...]:
    """Return the SHA-256 of a registry base's blobs: its config and its layers.

    Empty for a bootstrapped base, which is made from packages.
    """
    if base.kind == "bootstrap":
        return ()
    return tuple(digest.removeprefix("sha256:") for digest in (base.config, *base.diff_ids))


def keep_base(base: Base, reference: str, *, engine: Engine, store: Store) -> None:
    """Copy a registry's base from the engine to the store, each part verified by its hash."""
    missing = [sha256 for sha256 in base_blobs(base) if not store.has(sha256)]
    if not missing:
        return
    with store.scratch() as scratch:
        paths = {f"sha256:{sha256}": scratch / sha256 for sha256 in missing}
        engine.save_layers(reference, paths)
        for sha256 in missing:
            store.put_file(scratch / sha256, sha256=sha256, move=True)


def registry_name(base: RegistryBase) -> str:
    """Return ``name@sha256:…`` of a registry's base."""
    name = base.reference.partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    # A colon before a slash starts a port.
    return f"{repository if colon and '/' not in tag else name}@{base.manifest}"


def _bootstrapped(
    base: BootstrapBase, platform: str, engine: Engine, store: Store, report: Reporter
) -> str:
    name = _own_name(base)
    known = engine.image(name)
    if known is not None and _is(known, base, engine):
        return name
    config, layer = make_base(
        base.suite, base.packages, _MACHINES[platform], engine=engine, store=store, report=report
    )
    if image_id(config) != base.config or (layer.diff_id,) != base.diff_ids:
        raise IntegrityError(
            "the base made from the locked packages is not the one that was locked",
            found=f"{image_id(config)}, layer {layer.diff_id}",
            expected=f"{base.config}, layer {', '.join(base.diff_ids)}",
            hint=f"this version of Freezer makes bases differently; {_RELOCK}",
        )
    engine.load(config, [layer], tags=[name], report=report)
    return name


def _pulled(
    base: RegistryBase, platform: str, engine: Engine, store: Store, report: Reporter
) -> str:
    name = registry_name(base)
    image = engine.image(name)
    if image is None:
        if (known := _loaded(base, engine)) is not None:
            return known
        if (known := _from_store(base, engine, store, report)) is not None:
            return known
        image = engine.pull(name, platform=platform, report=report)
    if not _is(image, base, engine):
        raise IntegrityError(
            f"{name} is not the image that was locked",
            found=f"{image.id}, layers {', '.join(image.diff_ids)}",
            expected=f"{base.config}, layers {', '.join(base.diff_ids)}",
            hint=f"remove it from the engine and try again; if that does not help, {_RELOCK}",
        )
    return name


def _loaded(base: RegistryBase, engine: Engine) -> str | None:
    """Return a name of a base that came by ``docker load``, which loses its origin."""
    image = engine.image(base.config)
    if image is None or not _is(image, base, engine):
        return None
    name = _own_name(base)
    engine.tag(image.id, *name.split(":"))
    return name


def _from_store(base: RegistryBase, engine: Engine, store: Store, report: Reporter) -> str | None:
    """Load a base whose blobs are all in the store, as after reading a bundle."""
    if not all(store.has(sha256) for sha256 in base_blobs(base)):
        return None
    config = store.verified(base.config.removeprefix("sha256:")).read_bytes()
    layers = [
        LayerFile(diff_id, store.verified(diff_id.removeprefix("sha256:")))
        for diff_id in base.diff_ids
    ]
    name = _own_name(base)
    engine.load(config, layers, tags=[name], report=report)
    return name


def _own_name(base: Base) -> str:
    return f"{BASE_REPOSITORY}:{base.config.removeprefix('sha256:')[:12]}"


def _is(image: ImageInfo, base: Base, engine: Engine) -> bool:
    """Compare layers, and the config where image IDs are config digests.

    Engines with containerd's store use manifest digests as IDs. An image pulled by digest is the
    locked one either way, and a config does not affect the contents of layers.
    """
    has_config_id = not engine.info.containerd_store
    return image.diff_ids == base.diff_ids and (image.id == base.config or not has_config_id)
