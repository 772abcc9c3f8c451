"""lifelines: survival analysis."""

from typing import Any

import lifelines
import numpy as np
import pandas as pd

from benchmarks.atlas.inside import operation

PACKAGE = "lifelines"
VERSIONS = ("0.30.3",)
WITH = ("numpy==2.2.6", "scipy==1.15.3", "pandas==2.3.3")


def _data() -> Any:
    generator = np.random.default_rng(3)
    table = pd.DataFrame(generator.standard_normal((500, 4)), columns=list("abcd"))
    return table.assign(
        T=generator.exponential(np.exp(table["a"] / 3)), E=generator.random(500) < 0.7
    )


@operation(
    "CoxPHFitter.fit",
    factors=("process", "call", "blas threads", "hash seed"),
    data="500 x 4; parameters",
)
def cox() -> Any:
    return lifelines.CoxPHFitter().fit(_data(), "T", "E").params_.to_numpy()


@operation(
    "WeibullAFTFitter.fit", factors=("process", "call", "blas threads"), data="500 x 4; parameters"
)
def weibull() -> Any:
    return lifelines.WeibullAFTFitter().fit(_data(), "T", "E").params_.to_numpy()


@operation(
    "KaplanMeierFitter.fit",
    factors=("process", "call"),
    data="500 durations; the survival function",
)
def kaplan_meier() -> Any:
    table = _data()
    return lifelines.KaplanMeierFitter().fit(table["T"], table["E"]).survival_function_.to_numpy()
