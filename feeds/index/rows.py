"""Statements about any number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Select, Table, bindparam, delete, update
from sqlalchemy.engine import Connection

#: SQLite takes at most 32,766 variables in one statement.
MAX_ROWS_PER_STATEMENT = 10_000

T = TypeVar("T")


def convert(rows: Iterable[Iterable[object]], kind: type[T]) -> list[T]:
    """Return rows as named tuples of a type.

    Raises msgspec.ValidationError where a value is of another type: SQLite does not notice
    all damage, and may return values of another table.
    """
    return msgspec.convert([tuple(row) for row in rows], list[kind])  # type: ignore[valid-type]


def select_in(
    connection: Connection,
    statement: Select[Any],
    column: ColumnElement[Any],
    values: Iterable[object] | None,
) -> Iterator[Any]:
    """Yield the rows of a statement whose column has one of the values; None stands for all."""
    if values is None:
        yield from connection.execute(statement)
        return
    rest = iter(values)
    while batch := list(islice(rest, MAX_ROWS_PER_STATEMENT)):
        yield from connection.execute(statement.where(column.in_(batch)))


def delete_in(connection: Connection, column: Column[Any], values: Sequence[str]) -> None:
    """Delete the rows whose column has one of the values."""
    if values:
        statement = delete(column.table).where(column == bindparam("value"))
        connection.execute(statement, [{"value": value} for value in values])


def update_by_id(connection: Connection, table: Table, rows: Mapping[int, dict[str, Any]]) -> None:
    """Update rows of a table by their ids; all get values in the same columns."""
    if rows:
        statement = update(table).where(table.c.id == bindparam("row"))
        connection.execute(statement, [{"row": id, **row} for id, row in rows.items()])


def insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows that have the same columns, of types that need no conversion.

    Values of rows that are no columns of the table are ignored.
    """
    rest = iter(rows)
    while batch := list(islice(rest, MAX_ROWS_PER_STATEMENT)):
        # SQLAlchemy 2.1 takes twice the time for its own statements, whose parameters it goes
        # through one by one.
        columns = [name for name in batch[0] if name in table.c]
        made = table.insert().compile(dialect=connection.dialect, column_keys=columns)
        if made.positional:
            in_order = itemgetter(*made.positiontup or ())
            connection.exec_driver_sql(str(made), [in_order(row) for row in batch])
        else:
            connection.exec_driver_sql(str(made), batch)
