"""The first schema: runs, names, fields, series, objects."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("environment", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_started", "runs", ["started"])
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_table(
        "names",
        sa.Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "fields",
        sa.Column("run", _SEQUENCE, primary_key=True),
        sa.Column("name", _SEQUENCE, primary_key=True),
        sa.Column("kind", sa.String(1), nullable=False),
        sa.Column("number", sa.Double),
        sa.Column("bits", sa.LargeBinary(8)),
        sa.Column("key", sa.String(100)),
        sa.Column("text", sa.Text),
        *_foreign_keys(),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fields_number", "fields", ["name", "kind", "number", "run"])
    op.create_index("ix_fields_key", "fields", ["name", "kind", "key", "run"])
    op.create_table(
        "series",
        sa.Column("run", _SEQUENCE, primary_key=True),
        sa.Column("name", _SEQUENCE, primary_key=True),
        sa.Column("chunk", sa.Integer, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("steps", sa.LargeBinary, nullable=False),
        sa.Column("times", sa.LargeBinary, nullable=False),
        sa.Column("values", sa.LargeBinary, nullable=False),
        *_foreign_keys(),
    )
    op.create_table(
        "objects",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _foreign_keys() -> list[sa.ForeignKeyConstraint]:
    """Return the foreign keys of a table with rows of runs: on SQLite alone.

    Ledgers made on PostgreSQL before December 2026 have them as well, which makes no difference
    but the time to record a run.
    """
    if op.get_bind().dialect.name != "sqlite":
        return []
    return [
        sa.ForeignKeyConstraint(["run"], ["runs.seq"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["name"], ["names.id"]),
    ]
