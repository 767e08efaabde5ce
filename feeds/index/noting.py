"""Since when documents have looked as they do, noted in the index as they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, select, update

from feeds.index.database import Database, IndexUnavailable
from feeds.index.tables import documents

#: Documents that are remembered.
NOTED = 10_000


def since(database: Database, address: str, digest: bytes, candidate: datetime) -> datetime:
    """Since when the document at an address has looked as its digest says.

    `candidate` is when anything that it may show last changed. It is the answer for a
    document that is not known yet, or cannot be noted now.
    """
    known = select(documents).where(documents.c.address == address)
    with database.reading() as connection:
        row = connection.execute(known).first()
    if row and row.digest == digest:
        return datetime.fromtimestamp(row.changed, UTC)
    second = int(candidate.timestamp())
    try:
        with database.noting() as connection:
            row = connection.execute(known).first()
            if row and row.digest == digest:
                second = row.changed
            elif row and row.changed <= second:
                # At least a second later each time: some clients compare nothing else.
                second = max(second, row.changed + 1)
                statement = update(documents).where(documents.c.id == row.id)
                connection.execute(statement.values(digest=digest, changed=second))
            elif row is None:
                values = {"address": address, "digest": digest, "changed": second}
                made = connection.execute(documents.insert().values(values))
                (id,) = made.inserted_primary_key or (0,)
                connection.execute(delete(documents).where(documents.c.id <= id - NOTED))
    except IndexUnavailable:
        return candidate
    return datetime.fromtimestamp(second, UTC)
