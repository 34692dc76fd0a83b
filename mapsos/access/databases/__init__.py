"""The databases that can hold keys: connections, transactions and errors, the same for SQLite and PostgreSQL.

They run the statements of `mapsos.access.store` and `mapsos.access.log_store`, whose tables they do not know.
"""
