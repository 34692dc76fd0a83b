"""How fast mapsos is beside mapserv: generated data, the works that are timed, and the table of results."""
