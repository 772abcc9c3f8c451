"""One file for each revision of the schema, in the form of Alembic; none is ever edited."""
