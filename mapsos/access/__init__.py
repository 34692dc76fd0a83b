"""Keys: which client asks, what it may do, how often, and the log of its requests.

Keys, counts and the log are in one store, a file of SQLite or a database of PostgreSQL, that all processes share. The
room knows neither layers nor parameters of a protocol. Nothing of it is imported where MAPSOS_KEYS is not set.
"""
