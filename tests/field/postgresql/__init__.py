"""Faults of the field with PostgreSQL: a module for each kind, beside a real server."""
