"""What changed from one lock to the next is said package by package."""

from freezer.history.changes import changes
from freezer.model.lock import StepFile, Steps
from tests.support.project.locks import make_lock, sha


def test_equal_locks_say_nothing():
    assert list(changes(make_lock(), make_lock())) == []


def test_versions_additions_and_removals_are_named():
    old = make_lock()
    numpy = old.pip[0].model_copy(update={"version": "2.5.0", "sha256": sha("9")})
    scipy = old.pip[0].model_copy(update={"name": "scipy", "version": "1.17.0"})
    new = make_lock(pip=(numpy, scipy), debian=())
    assert list(changes(old, new)) == [
        "Debian package libgomp1: removed, was 12.2.0-14",
        "Python package numpy: 2.4.6 to 2.5.0",
        "Python package scipy: added, 1.17.0",
        "reasons of pins changed",
    ]


def test_another_file_of_the_same_version_is_a_change():
    old = make_lock()
    numpy = old.pip[0].model_copy(update={"sha256": sha("9")})
    assert list(changes(old, make_lock(pip=(numpy,)))) == [
        "Python package numpy: 2.4.6 to 2.4.6 (another file)"
    ]


def test_settings_and_clock_are_named():
    new = make_lock(as_of="2026-11-02T00:00:00Z", environment={"PYTHONHASHSEED": "1"})
    assert list(changes(make_lock(), new)) == [
        "as-of: 2026-11-01T00:00:00Z to 2026-11-02T00:00:00Z",
        "variable PYTHONHASHSEED: 0 to 1",
    ]


def test_steps_and_their_files_are_named():
    def locked(run, **files):
        listed = tuple(
            StepFile(path=path, size=1, sha256=sha(digit)) for path, digit in files.items()
        )
        return make_lock(steps=Steps(run=run, files=listed))

    assert list(changes(make_lock(), locked(("make",), a="1"))) == [
        "steps: none to 1 (840a81f1)",
        "file of the steps a: added",
    ]
    said = list(changes(locked(("make",), a="1", b="2"), locked(("make all",), b="3")))
    assert [line for line in said if line.startswith("steps: 1 (")] == said[:1]
    assert said[1:] == ["file of the steps a: removed", "file of the steps b: another content"]
