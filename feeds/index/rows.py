"""Any number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

#: SQLite takes at most 32,766 variables in one statement.
BATCH = 10_000


def among(
    connection: Connection, table: Table, column: str, values: Iterable[str]
) -> Iterator[Row[Any]]:
    """The rows that have one of some values in a column, however many there are."""
    wanted = list(values)
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        yield from connection.execute(select(table).where(table.c[column].in_(batch)))


def insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, of types that need no conversion."""
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        # SQLAlchemy 2.0 goes through the parameters of its own statements one by one.
        made = table.insert().compile(dialect=connection.dialect, column_keys=list(batch[0]))
        if made.positional:
            in_order = itemgetter(*made.positiontup or ())
            connection.exec_driver_sql(str(made), [in_order(row) for row in batch])
        else:
            connection.exec_driver_sql(str(made), batch)
