#!/usr/bin/env bash
# JAX: for half a year, jax.random.normal gave other numbers than before and after.
#
# Versions:   jax and jaxlib 0.6.2, 0.7.0, 0.8.1 and 0.8.2, numpy 2.2.6, scipy 1.15.3; CPython 3.11, Linux
#             x86-64 (CPU)
# Documented: the change of all random bits in 0.5.0 (jax_threefry_partitionable); we found nothing on these
#             two
#             https://docs.jax.dev/en/latest/changelog.html
# Behaviour:  normal(PRNGKey(1), (1000,)) has the same bits in 0.6.2 and 0.8.2, and other ones in 0.7.0 and
#             0.8.1. uniform, from which it is made, has the same bits in all four.
# Output:     uniform: 0.6.2 = 0.7.0 = 0.8.1 = 0.8.2
#             normal:  0.6.2 = 0.8.2, and 0.7.0 = 0.8.1; they differ by up to 2e-07
# Where met:  weights are drawn by it: a model that was trained with 0.7 or 0.8.1 starts from others, and the
#             comparison of two runs "old" and "new" may find no difference at all
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > draw.py <<'PROGRAM'
import json

import jax

key = jax.random.PRNGKey(1)
draws = {name: getattr(jax.random, name)(key, (1000,)).tolist() for name in ("uniform", "normal")}
print(json.dumps(draws))
PROGRAM
for version in 0.6.2 0.7.0 0.8.1 0.8.2; do
  "${PYTHON:-python3.11}" -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check \
    "jax==$version" "jaxlib==$version" numpy==2.2.6 scipy==1.15.3
  JAX_PLATFORMS=cpu "$version/bin/python" draw.py > "$version.json"
done
"${PYTHON:-python3.11}" - <<'PROGRAM'
import json
import sys

draws = {version: json.load(open(f"{version}.json")) for version in ("0.6.2", "0.7.0", "0.8.1", "0.8.2")}
uniform = len({str(item["uniform"]) for item in draws.values()})
before, first, last, after = (item["normal"] for item in draws.values())
apart = max(abs(a - b) for a, b in zip(before, first))
print("uniform: 0.6.2 = 0.7.0 = 0.8.1 = 0.8.2" if uniform == 1 else "uniform differs")
same = before == after and first == last
text = "0.6.2 = 0.8.2, and 0.7.0 = 0.8.1" if same else "other ones are equal"
print(f"normal:  {text}; they differ by up to {apart:.0e}")
sys.exit(0 if same and uniform == 1 and apart > 0 else 1)
PROGRAM
