"""Alembic migrations and the two functions that run them."""
