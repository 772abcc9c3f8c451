"""What uv, pip and the solvers of conda say when they fail, and what an index says of files."""

from __future__ import annotations

from typing import Any, cast

import pytest

from freezer.errors import FreezerError, Where
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.simple_api import IndexFile
from freezer.resolve.conda.solver.errors import explain as explain_conda
from freezer.resolve.conda.solver.interface import CondaRequest
from freezer.resolve.conda.solver.proof import tidy
from freezer.resolve.python.index.undated import skipped_files
from freezer.resolve.python.piptools.errors import blamed, explain_pip
from freezer.resolve.python.uv import errors as uv_errors
from tests.support.fuzz import Target, hold
from tests.support.project.asking import request

ASKED = request("https://u:p@h/simple", "top==1", "mine==2", "frame[x]>=2")
PROOF = b"""error: No solution found when resolving dependencies
  cause: Because deep==1.0 has no usable wheels and top==1 depends on deep==1.0, we can conclude that top==1 cannot be used.
         And because mine==2 has no usable wheels and you require mine==2, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for `deep` because building from source is disabled
hint: `torch` was filtered by `exclude-newer` to only include packages published before 2026
"""
NO_SUCH = b"""error: No solution found when resolving dependencies
  cause: Because nosuch was not found in the package registry and you require nosuch, we can conclude that your requirements are unsatisfiable.
hint: An index URL (https://u:p@h/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized).
"""
FAILED = b"""error: Failed to fetch: `https://u:pw@h/simple/a/`
  cause: error sending request for url (https://u:pw@h/simple/a/)
  cause: client error (Connect): 404 Not Found for url a-1.whl.metadata
warning: in.txt:2 something
"""
PIP = b"""ERROR: Could not find a version that satisfies the requirement deep==9 (from top) (from versions: 1.0, 2.0)
ERROR: No matching distribution found for mine==2
pip._internal.exceptions.DistributionNotFound: x
RequirementInformation(requirement=SpecifierRequirement('deep>=2'), parent=LinkCandidate('https://h/top-1.whl (from x)'))
ERROR: Ignoring version 1.0 of demo since it has invalid metadata: bad
"""
SOLVER = """Cannot solve the request because of: The following packages are incompatible
├─ numpy >=2 can be installed with any of the following options:
│  └─ numpy 2.0
└─ scipy <1 cannot be installed because there are no viable options:
   └─ scipy 0.9 would require
      └─ __cuda >=12, for which no candidates were found.
""".encode()
SKIPPED = (
    b"warning: a-1.0-py3-none-any.whl is missing an upload date, but user provided: 2026-01-01\n"
)


class Listed:
    def files(self, project: str) -> list[IndexFile]:
        return [
            IndexFile(f"{project}-1.0.tar.gz", "https://h/x"),
            IndexFile("deep-1.0-py3-none-any.whl", "https://h/y"),
        ]

    linked = files


INDEX = cast("PythonIndex", Listed())


def uv(data: bytes) -> FreezerError:
    text = data.decode("utf-8", "replace")
    uv_errors.blamed_for_sdist(text)
    uv_errors.lacks_metadata(text)
    uv_errors.named_in_proof(text)
    uv_errors.undated_that_might_help(text)
    skipped_files(text)
    return uv_errors.explain(text, ASKED, INDEX)


def pip(data: bytes) -> FreezerError:
    text = data.decode("utf-8", "replace")
    blamed(text)
    return explain_pip(text, ASKED, INDEX)


def conda(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    tidy(text)
    asked = CondaRequest((), (), "linux-64", {}, "2026-01-01T00:00:00Z")
    answer: dict[str, Any] = {"offers": [], "unsolved": text}
    return explain_conda(answer, asked)


TARGETS = [
    Target("uv's proof", uv, [PROOF, NO_SUCH], "text"),
    Target("uv's other words", uv, [FAILED, SKIPPED], "text"),
    Target("pip's words", pip, [PIP], "text"),
    Target("the conda solver's words", conda, [SOLVER], "text"),
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)


def test_the_seeds_are_understood() -> None:
    for parse, seed in ((uv, PROOF), (uv, NO_SUCH), (uv, FAILED), (pip, PIP), (conda, SOLVER)):
        found = parse(seed)
        assert isinstance(found, FreezerError)
        assert "u:p" not in str(found)
    assert Where
