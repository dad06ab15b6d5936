"""One file a change of the schema, in Alembic's form; `migrate.py` runs them."""
