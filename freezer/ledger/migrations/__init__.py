"""Alembic's folder: `env` runs the migrations, ``versions`` holds one file for each revision."""
