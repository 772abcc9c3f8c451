"""Runs of the ledger in an archive: record, patch, lists of data, outputs; and back, bit for bit."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest

from freezer.errors import FreezerError, LedgerError, QueryError
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.flows.governance.archive.create import create_archive
from freezer.flows.governance.archive.prune import prune_archive
from freezer.flows.governance.archive.restore import restore_archive
from freezer.flows.governance.archive.runs import output_path
from freezer.flows.governance.archive.verify import verify_archive
from freezer.flows.governance.archive.versions import list_archive
from freezer.flows.runs.folders import run_folder
from freezer.flows.runs.ledger import project_ledger
from freezer.governance.archive.retention import Retention
from freezer.ledger.query import all_points, content, find, get
from freezer.ledger.record import record
from freezer.ledger.series import Points
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from freezer.model.record.run import Digest, Output, Run, Time
from tests.support.host.hosts import Host
from tests.support.project.small_lock import made_lock

PATCH, LIST, CHECKPOINT = b"diff --git a/x b/x\n", b"f 5 train.csv\n", b"weights" * 1000
NAMES = ("checkpoint.pt", "logs/a b.txt", "odd\\name", "n" * 230)
FIRST = "1" * 16


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def recorded(host: Host, identifier: str, lock: str | None = None, **changes: object) -> Run:
    """Record a run with a patch, a list of data files and outputs that are there."""
    root = run_folder(host.opened, identifier) / "output"
    outputs = []
    for number, name in enumerate(NAMES):
        data = CHECKPOINT + bytes([number])
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        outputs.append(Output(name, len(data), sha(data)))
    fields = {
        "seed": 7,
        "params.lr": 0.1,
        "metrics.loss": math.nan,
        "git.patch": Digest(sha(PATCH)),
        "data.train.list": Digest(sha(LIST)),
        "lock": Digest(lock or lock_id(lock_bytes(made_lock()))),
    }
    made = Run(
        identifier, "demo", "finished", Time(5), ended=Time(9), fields=fields,
        outputs=tuple(outputs),
    )  # fmt: skip
    made = Run(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, **changes})
    points = {"metrics.loss": Points.of([(0, 0, 1.5), (1, 1, math.nan)])}
    with project_ledger(host.opened) as ledger:
        record(ledger, made, points, [PATCH, LIST])
    return made


def test_a_run_comes_back_with_everything(here: Host, there: Host, tmp_path: Path) -> None:
    made = recorded(here, FIRST)
    root = str(tmp_path / "archive")
    done = create_archive(here.opened, "demo", root, runs=["1111"])
    assert done.runs == (FIRST,)
    assert list_archive(FolderStorage(Path(root)))[0].runs == (FIRST,)
    assert verify_archive(here.opened, root).findings == ()

    assert restore_archive(there.opened, root, "demo").runs == (FIRST,)
    with project_ledger(there.opened, reading=True) as ledger:
        back = get(ledger, FIRST)
        series = all_points(ledger, FIRST)["metrics.loss"]
        assert content(ledger, sha(PATCH)) == PATCH
        assert content(ledger, sha(LIST)) == LIST
    assert back.outputs == made.outputs
    assert back.fields["seed"] == 7
    assert math.isnan(series.values[1])
    output = run_folder(there.opened, FIRST) / "output"
    for one in made.outputs:
        assert sha((output / one.path).read_bytes()) == one.sha256
    (output / NAMES[0]).write_bytes(b"trained on")  # again: what is there stays
    assert restore_archive(there.opened, root, "demo").runs == (FIRST,)
    assert (output / NAMES[0]).read_bytes() == b"trained on"


def test_runs_stay_in_later_versions_and_keep_what_they_need(here: Host, tmp_path: Path) -> None:
    root = str(tmp_path / "archive")
    recorded(here, FIRST)
    create_archive(here.opened, "demo", root, runs=[FIRST])
    later = lock_bytes(made_lock().model_copy(update={"as_of": "2026-01-01T00:00:00Z"}))
    (here.references / LOCK_FILE).write_bytes(later)
    done = create_archive(here.opened, "demo", root)
    assert done.runs == (FIRST,)
    assert not here.ear.warnings, "v1 has the lock of the run"
    recorded(here, "2" * 16, "f" * 64)
    create_archive(here.opened, "demo", root, runs=["id = '2222222222222222'"])
    assert any("which this archive does not have" in line for line in here.ear.warnings)
    assert [len(one.runs) for one in list_archive(FolderStorage(Path(root)))] == [1, 1, 2]
    assert verify_archive(here.opened, root).findings == ()
    pruned = prune_archive(here.opened, root, "demo", Retention(last=1), dry_run=False)
    reasons = [one.reason for one in pruned.environments[0].versions]
    assert reasons[1:] == [None, "the newest"]
    assert reasons[0] is not None
    assert FIRST in reasons[0]


def test_outputs_that_changed_are_left_out_with_a_warning(
    here: Host, there: Host, tmp_path: Path
) -> None:
    recorded(here, FIRST)
    output = run_folder(here.opened, FIRST) / "output"
    (output / NAMES[0]).write_bytes(b"other")
    (output / NAMES[1]).unlink()
    secret = tmp_path / "secret"
    secret.write_bytes(b"s")
    (output / NAMES[1]).symlink_to(secret)
    root = str(tmp_path / "archive")
    create_archive(here.opened, "demo", root, runs=[FIRST])
    assert any("2 of 4 outputs are not archived" in line for line in here.ear.warnings)
    restore_archive(there.opened, root, "demo")
    back = run_folder(there.opened, FIRST) / "output"
    assert sorted(path.name for path in back.rglob("*") if path.is_file()) == sorted(NAMES[2:])


@pytest.mark.parametrize("path", ["../../../evil", "/etc/evil", "a/../../../../evil", ""])
def test_outputs_that_lead_elsewhere_are_refused(
    here: Host, there: Host, tmp_path: Path, path: str
) -> None:
    """The record of a run is outside data: whoever made it chose the paths in it."""
    outputs = (Output(path, 4, sha(b"evil")),)
    recorded(here, FIRST, outputs=outputs)
    target = run_folder(here.opened, FIRST) / "output" / path
    if path and not target.is_dir():
        outside = target.resolve()
        assert not outside.exists()
    root = str(tmp_path / "archive")
    create_archive(here.opened, "demo", root, runs=[FIRST])
    state = f"runs/{FIRST}/output/sha256-{sha(b'evil')}"
    assert output_path(FIRST, outputs[0]) == state
    restore_archive(there.opened, root, "demo")
    assert not list(tmp_path.rglob("evil"))


def test_runs_that_cannot_be_archived(here: Host, tmp_path: Path) -> None:
    root = str(tmp_path / "archive")
    recorded(here, FIRST)
    recorded(here, "2" * 16, environment="other")
    recorded(here, "3" * 16, state="running", ended=None, owner={"host": "elsewhere"})
    for text, found in (
        ("9999", "there is no run"),
        ("params.lr > 1", "no run of demo matches"),
        ("2222", "another environment"),
        ("3333", "under way"),
    ):
        with pytest.raises(LedgerError, match=found):
            create_archive(here.opened, "demo", root, runs=[text])
    with pytest.raises(QueryError):
        create_archive(here.opened, "demo", root, runs=["params.lr <"])
    assert list_archive(FolderStorage(Path(root))) == ()


def test_a_run_that_the_ledger_has_otherwise_keeps_its_notes(
    here: Host, there: Host, tmp_path: Path
) -> None:
    recorded(here, FIRST)
    root = str(tmp_path / "archive")
    create_archive(here.opened, "demo", root, runs=[FIRST])
    recorded(there, FIRST, notes=("seen",))
    restore_archive(there.opened, root, "demo")
    with project_ledger(there.opened, reading=True) as ledger:
        assert [one.notes for one in find(ledger)] == [("seen",)]


def test_a_record_of_another_run_is_refused(here: Host, there: Host, tmp_path: Path) -> None:
    recorded(here, FIRST)
    root = tmp_path / "archive"
    create_archive(here.opened, "demo", str(root), runs=[FIRST])
    record_file = root / f"demo/v1/content/runs/{FIRST}/run.json"
    record_file.write_bytes(record_file.read_bytes().replace(b"1" * 16, b"2" * 16))
    with pytest.raises(FreezerError):
        restore_archive(there.opened, str(root), "demo")
    assert not (there.references / LOCK_FILE).exists()
