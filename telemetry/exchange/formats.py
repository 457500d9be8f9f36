"""A sheet as CSV, JSON, JSON lines or Parquet, row by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from speedsign.errors import UsageError
from telemetry.exchange.tables import Sheet, Type, Value

_ROWS_AT_ONCE = 5_000


def write_csv(sheet: Sheet, out: IO[str]) -> int:
    """Comma, LF, a header; empty where there is no value. How many rows."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(sheet.names)
    return _counted(sheet.rows, lambda row: writer.writerow([_plain(value) for value in row]))


def write_json_lines(sheet: Sheet, out: IO[str]) -> int:
    """An object a line."""
    return _counted(sheet.rows, lambda row: out.write(_object(sheet.names, row) + "\n"))


def write_json(sheet: Sheet, out: IO[str]) -> int:
    """One list of objects, an object a line."""
    return write_list((_object(sheet.names, row) for row in sheet.rows), out)


def write_list(items: Iterable[str], out: IO[str], head: str = "[", tail: str = "]") -> int:
    """JSON texts as one list, an item a line, as they come."""
    out.write(head)
    n = 0
    for item in items:
        out.write(("," if n else "") + "\n" + item)
        n += 1
    out.write("\n" + tail + "\n")
    return n


def write_parquet(sheet: Sheet, out: IO[bytes]) -> int:
    """Typed columns; a time is UTC, and beside it stands the local text with its offset (`time_local`)."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # it brings no types
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install 'speedsign[parquet]'") from None
    schema = pa.schema(list(_fields(pa, sheet.columns)))
    rows = iter(sheet.rows)
    n = 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            columns = list(_columns(sheet.columns, some))
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            n += len(some)
    return n


def _fields(pa: Any, columns: Sequence[tuple[str, Type]]) -> Iterator[Any]:
    types = {
        Type.TEXT: pa.string(),
        Type.WHOLE: pa.int64(),
        Type.NUMBER: pa.float64(),
        Type.TRUTH: pa.bool_(),
        Type.TIME: pa.timestamp("ms", tz="UTC"),
    }
    for name, kind in columns:
        yield pa.field(name, types[kind])
        if kind is Type.TIME:
            yield pa.field(f"{name}_local", pa.string())


def _columns(columns: Sequence[tuple[str, Type]], rows: list[Sequence[Value]]) -> Iterator[list[Any]]:
    for place, (_, kind) in enumerate(columns):
        values = [row[place] for row in rows]
        if kind is Type.TIME:
            yield [value.astimezone(UTC) if isinstance(value, datetime) else None for value in values]
            yield [_plain(value) for value in values]
        else:
            yield values


def _counted(rows: Iterable[Sequence[Value]], write: Any) -> int:
    n = 0
    for row in rows:
        write(row)
        n += 1
    return n


def _plain(value: Value) -> str | int | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if isinstance(value, datetime) else value


def iso(moment: datetime) -> str:
    """With its offset; milliseconds only where there are any."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _object(names: Sequence[str], row: Sequence[Value]) -> str:
    values = (iso(value) if isinstance(value, datetime) else value for value in row)
    return json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)
