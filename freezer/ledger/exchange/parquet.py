"""A table as Parquet: typed columns, NaN and infinity as they are. Needs the extra ``parquet``."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final

from freezer.errors import LedgerError
from freezer.ledger.exchange.table import exact
from freezer.ledger.values import KINDS, kind_of, stored_text
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.ledger.exchange.table import Table
    from freezer.model.record.run import Value

_EXACT: Final = 1 << 53
"""Whole numbers up to here are exact as doubles."""


def write_parquet(table: Table, stream: IO[bytes]) -> None:
    """Write a table. Each column says in its metadata which kinds of values it holds.

    A column of several kinds becomes text. Raises ``LedgerError`` without pyarrow.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import write_table
    except ImportError:
        raise LedgerError(
            "writing Parquet needs pyarrow", hint="install Freezer with its extra 'parquet'"
        ) from None
    columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)
    fields, arrays = [], []
    for name, values in zip(table.columns, columns, strict=True):
        present = [value for value in values if value is not None]
        kind = _type(present, pa)
        cells = [None if value is None else _cell(value, kind, pa) for value in values]
        arrays.append(pa.array(cells, type=kind))
        kinds = ", ".join(sorted({KINDS[kind_of(value)] for value in present}))
        fields.append(pa.field(stored_text(name), kind, metadata={"freezer.kinds": kinds}))
    write_table(pa.table(arrays, schema=pa.schema(fields)), stream)


def _type(values: Sequence[Value], pyarrow: Any) -> Any:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pyarrow.bool_()
    if kinds == {Time}:
        return pyarrow.timestamp("us", tz="UTC")
    if kinds == {int} and all(-(1 << 63) <= value < 1 << 63 for value in values):  # type: ignore[operator]
        return pyarrow.int64()
    if kinds and kinds <= {int, float} and all(map(_is_double, values)):
        return pyarrow.float64()
    return pyarrow.string()


def _is_double(value: Value) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _EXACT)


def _cell(value: Value, kind: Any, pyarrow: Any) -> Any:
    if kind == pyarrow.string():
        return stored_text(exact(value))
    if isinstance(value, Time):
        return value.micros
    return float(value) if kind == pyarrow.float64() else value  # type: ignore[arg-type]
