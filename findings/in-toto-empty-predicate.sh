#!/usr/bin/env bash
# in-toto-attestation: Statement.validate() refuses the statement by which cosign signs an image.
#
# Versions:   in-toto-attestation 0.9.3, protobuf 6.33.2; CPython 3.11
# Documented: "predicate: object, optional. Additional parameters of the Predicate. Unset is treated
#             the same as set-but-empty. MAY be omitted if predicateType fully describes the
#             predicate." https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
# Behaviour:  the Python model refuses a statement whose predicate is {} or is left out. cosign 3 signs
#             images by such a statement (predicateType https://sigstore.dev/cosign/sign/v1,
#             predicate {}), so whoever validates a verified payload by this model refuses every
#             signature of an image. With any key in the predicate the same statement is valid.
# Output:     predicate {}:        Predicate object required
#             no predicate:        Predicate object required
#             predicate {"a": 1}:  valid
# Where met:  https://github.com/sigstore/cosign/pull/4635 (the Go model refused a missing one; cosign
#             then wrote {}, which the Go model takes and the Python model does not)
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  in-toto-attestation==0.9.3 protobuf==6.33.2
"$work/venv/bin/python" - <<'PROGRAM'
import sys

from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

SIGNED = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"digest": {"sha256": "0" * 64}}],
    "predicateType": "https://sigstore.dev/cosign/sign/v1",
}


def judged(**predicate):
    """Return what the model says of the statement."""
    parsed = ParseDict({**SIGNED, **predicate}, statement_pb2.Statement())
    try:
        Statement.copy_from_pb(parsed).validate()
    except ValueError as error:
        return str(error)
    return "valid"


found = [judged(predicate={}), judged(), judged(predicate={"a": 1})]
for name, said in zip(('predicate {}:', 'no predicate:', 'predicate {"a": 1}:'), found):
    print(f"{name:20} {said}")
sys.exit(0 if found == ["Predicate object required"] * 2 + ["valid"] else 1)
PROGRAM
