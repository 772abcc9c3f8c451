"""Names of well-known packages, which are often mistyped or imitated."""

from __future__ import annotations

from functools import cache

from freezer.frameworks import described

_NAMES = """
absl-py accelerate aiohttp albumentations antlr4-python3-runtime anyio attrs azure-storage-blob
beautifulsoup4 bitsandbytes black bokeh boto3 botocore certifi cffi charset-normalizer chex
click cloudpickle colorama coloredlogs cryptography cupy cython dask datasets deepspeed
diffusers django docker docutils duckdb einops elasticsearch evaluate fairseq fastai fastapi
filelock flake8 flask flax fsspec gensim gradio graphviz grpcio gunicorn gymnasium h5py httpx
huggingface-hub hydra-core hypothesis idna imageio imbalanced-learn ipykernel ipython ipywidgets
jinja2 joblib jsonschema jupyter jupyterlab keras kornia langchain lightning lxml markdown
markupsafe matplotlib mlflow moviepy mypy networkx nltk notebook numexpr omegaconf onnx
onnxruntime openai opencv-contrib-python opencv-python opencv-python-headless openpyxl optax
optuna orbax-checkpoint orjson packaging pandas paramiko peft pillow pip plotly polars
prometheus-client protobuf psutil psycopg2 psycopg2-binary pyarrow pycocotools pycryptodome
pydantic pydicom pygments pyjwt pymongo pymupdf pyparsing pyserial pytest python-dateutil
python-dotenv pytorch-lightning pytz pyyaml pyzmq ray redis regex requests rich rouge-score
sacrebleu safetensors scikit-image seaborn selenium sentence-transformers sentencepiece
setuptools shap simplejson six spacy sqlalchemy statsmodels streamlit sympy tabulate tensorboard
tensorboardx tensorflow-datasets termcolor tiktoken timm tokenizers toml tomli torchaudio
torchmetrics torchvision tornado tqdm traitlets transformers triton trl typer ujson urllib3 uvicorn
virtualenv wandb websocket-client websockets werkzeug wheel xarray xformers yacs zarr
"""


@cache
def well_known() -> frozenset[str]:
    """Return normalised names of well-known packages, described frameworks among them."""
    return frozenset(_NAMES.split()) | {name for item in described() for name in item.distributions}
