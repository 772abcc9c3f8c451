"""The spec's reasons stand beside the pins, and go when they go from the spec."""

from freezer.flows.lock.reasons import with_reasons
from freezer.flows.project.environment import load_environment
from freezer.model.events import SilentReporter
from tests.support.project.locks import make_lock

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


class Listener(SilentReporter):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def explained(folder, lock, why=""):
    (folder / "freeze.yaml").write_text(SPEC + why)
    listener = Listener()
    return with_reasons(lock, load_environment(folder, None), listener), listener.warnings


def test_a_reason_is_kept_beside_what_asked_for_the_package(tmp_path):
    lock, _ = explained(tmp_path, make_lock(), "why: {NumPy: the first\n  that is fast}\n")
    assert lock.pip[0].reason == "requested in freeze.yaml; why: the first that is fast"


def test_a_reason_that_was_changed_replaces_the_old_one(tmp_path):
    first, _ = explained(tmp_path, make_lock(), "why: {numpy: one, libgomp1: two}\n")
    second, _ = explained(tmp_path, first, "why: {libgomp1: three}\n")
    assert second.pip[0].reason == "requested in freeze.yaml"
    assert second.debian[0].reason == "requested in freeze.yaml; why: three"


def test_a_reason_for_nothing_is_a_warning_with_its_place(tmp_path):
    _, warnings = explained(tmp_path, make_lock(), "why: {nunpy: typo}\n")
    assert warnings == ["freeze.yaml:4 (why.nunpy): a reason for 'nunpy', which is not in the lock"]
