#!/usr/bin/env bash
# scikit-learn: a fitted text vectorizer's pickle holds a memory address.
#
# Versions:   scikit-learn 1.9.1, joblib 1.6.0, numpy 2.4.6, scipy 1.17.1; CPython 3.11, Linux x86-64
# Documented: nothing; `joblib.dump` of other estimators gives the same bytes in every process
#             https://scikit-learn.org/stable/model_persistence.html
# Behaviour:  CountVectorizer and TfidfVectorizer remember for which stop words they have checked
#             that these fit the tokenizer, as `_stop_words_id = id(self.stop_words)`. The attribute is
#             pickled. It is an address, also without stop words (that of None), so equal vectorizers,
#             and every pipeline that holds one, have other bytes in each process.
# Output:     CountVectorizer: 4 processes, 4 files
#             TfidfVectorizer: 4 processes, 4 files
#             TfidfVectorizer without _stop_words_id: 4 processes, 1 file
# Where met:  whoever compares or caches models by the hash of their file
#             https://github.com/scikit-learn/scikit-learn/blob/1.9.1/sklearn/feature_extraction/text.py
#
# Needs Python 3.11 and a Python package index. Exits 1 if the behaviour changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 joblib==1.6.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
cat > fit.py <<'PROGRAM'
import hashlib
import io
import sys

import joblib
from sklearn.feature_extraction import text

model = getattr(text, sys.argv[1])().fit(["the cat sat", "a dog ran"])
if sys.argv[2] == "without":
    del model._stop_words_id
stream = io.BytesIO()
joblib.dump(model, stream)
print(hashlib.sha256(stream.getvalue()).hexdigest())
PROGRAM
# 4 processes: two of them may have one address by chance.
different() {
  for _ in 1 2 3 4; do PYTHONHASHSEED=0 venv/bin/python fit.py "$1" "$2"; done | sort -u | wc -l
}
for name in CountVectorizer TfidfVectorizer; do
  found=$(different "$name" with)
  echo "$name: 4 processes, $found files"
  [ "$found" -gt 1 ] || exit 1
done
found=$(different TfidfVectorizer without)
echo "TfidfVectorizer without _stop_words_id: 4 processes, $found file"
[ "$found" -eq 1 ] || exit 1
