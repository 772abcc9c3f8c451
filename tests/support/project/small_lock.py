"""A lock whose few files are bytes in memory: nothing needs to be fetched for it."""

from __future__ import annotations

from freezer.model.canonical import digest
from freezer.model.lock import (
    BootstrapBase,
    DebianPackage,
    Lock,
    SmokeFile,
    SmokePlan,
    StepFile,
    Steps,
)
from tests.support.project.insides import OLD
from tests.support.project.locks import make_lock, sha

DEB, WHEEL, TRAINING, WORDS = b"a deb " * 90, b"a wheel " * 700, b"train()", b"words"


def made_lock() -> Lock:
    """Return a lock of a Debian base, a wheel, a training and steps; its files are those above."""
    example = make_lock()
    deb = DebianPackage(
        source="debian", file="pool/a_1_amd64.deb", size=len(DEB), sha256=digest(DEB), name="a",
        version="1", architecture="amd64", reason="base",
    )  # fmt: skip
    base = BootstrapBase(
        suite="bookworm",
        config=f"sha256:{sha('1')}",
        diff_ids=(f"sha256:{sha('2')}",),
        packages=(deb,),
    )
    wheel = example.pip[0].model_copy(update={"size": len(WHEEL), "sha256": digest(WHEEL)})
    training = SmokeFile(path="train.py", size=len(TRAINING), sha256=digest(TRAINING))
    plan = SmokePlan(
        command=("python", "train.py"), files=(training,), seed=1, cpus=1, memory="1g", timeout=9
    )
    words = StepFile(path="words", size=len(WORDS), sha256=digest(WORDS))
    steps = Steps(run=("cat words",), files=(words,))
    return make_lock(base=base, debian=(), pip=(wheel,), smoke=plan, steps=steps, inside=OLD)
