"""The command line: mapsos serve, check, get, cgi and mapserv's own command line."""
