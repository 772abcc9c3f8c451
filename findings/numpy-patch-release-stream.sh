#!/usr/bin/env bash
# NumPy: a patch release changes the numbers that a seeded Generator draws.
#
# Versions:   numpy 2.3.3 and 2.3.4; CPython 3.11, Linux x86-64
# Documented: changes of the streams of Generator's distributions "will be allowed with caution", "on X.Y
#             releases, never X.Y.Z"
#             https://numpy.org/neps/nep-0019-rng-policy.html
# Behaviour:  default_rng(1).wald(1, 2, 1000) has other last digits in 2.3.4 than in 2.3.3.
#             RandomState.wald is the same, and so are the other methods of Generator that were compared.
# Output:     2.3.3 and 2.3.4: Generator.wald differs by up to 4e-15; Generator.gamma and RandomState.wald
#             are the same
# Where met:  whoever compares results by their bits, and takes a patch release for one that changes none
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > draw.py <<'PROGRAM'
import json
import numpy as np

print(json.dumps({
    "Generator.wald": np.random.default_rng(1).wald(1, 2, 1000).tolist(),
    "Generator.gamma": np.random.default_rng(1).gamma(2.5, 1.0, 1000).tolist(),
    "RandomState.wald": np.random.RandomState(1).wald(1, 2, 1000).tolist(),
}))
PROGRAM
for pinned in numpy==2.3.3 numpy==2.3.4; do
  version=${pinned#numpy==}
  "${PYTHON:-python3.11}" -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check "$pinned"
  "$version/bin/python" draw.py > "$version.json"
done
"${PYTHON:-python3.11}" - <<'PROGRAM'
import json
import sys

old, new = (json.load(open(f"{version}.json")) for version in ("2.3.3", "2.3.4"))
far = max(abs(a - b) for a, b in zip(old["Generator.wald"], new["Generator.wald"]))
others = [name for name in old if name != "Generator.wald" and old[name] == new[name]]
names = " and ".join(others)
print(f"2.3.3 and 2.3.4: Generator.wald differs by up to {far:.0e}; {names} are the same")
sys.exit(0 if far > 0 and len(others) == 2 else 1)
PROGRAM
