"""statsmodels: statistical models."""

from typing import Any

import numpy as np
import statsmodels.api as sm

from benchmarks.atlas.inside import operation

PACKAGE = "statsmodels"
VERSIONS = ("0.15.0",)
WITH = ("numpy==2.4.6", "scipy==1.17.1", "pandas==3.1.1")


def _data(rows: int = 3000) -> tuple[Any, Any]:
    generator = np.random.default_rng(3)
    x = sm.add_constant(generator.standard_normal((rows, 20)))
    return x, x @ generator.standard_normal(21) + generator.standard_normal(rows)


@operation("OLS.fit", factors=("process", "blas threads"), data="3000 x 21; parameters")
def ols() -> Any:
    x, y = _data()
    return sm.OLS(y, x).fit().params


@operation(
    "OLS.fit, 20,000 rows", factors=("process", "blas threads"), data="20,000 x 21; parameters"
)
def large() -> Any:
    x, y = _data(20_000)
    return sm.OLS(y, x).fit().params


@operation("Logit.fit", factors=("process", "call", "blas threads"), data="3000 x 21; parameters")
def logit() -> Any:
    x, y = _data()
    return sm.Logit((y > 0).astype(float), x).fit(disp=0).params


@operation("GLM(Poisson).fit", factors=("process", "blas threads"), data="3000 x 21; parameters")
def glm() -> Any:
    x, y = _data()
    return (
        sm.GLM(np.clip(np.round(np.exp(y / 10)), 0, 50), x, family=sm.families.Poisson())
        .fit()
        .params
    )


@operation(
    "MixedLM.fit",
    factors=("process", "hash seed", "blas threads"),
    data="600 x 3, 20 groups; fixed effects",
)
def mixed() -> Any:
    x, y = _data(600)
    return sm.MixedLM(y, x[:, :3], groups=np.arange(600) % 20).fit().fe_params


@operation(
    "tsa.ARIMA(1, 0, 1).fit",
    factors=("process", "call", "blas threads"),
    data="300 values; parameters",
)
def arima() -> Any:
    from statsmodels.tsa.arima.model import ARIMA

    return ARIMA(np.cumsum(_data(300)[1]) / 50, order=(1, 0, 1)).fit().params
