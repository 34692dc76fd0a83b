"""The words of the shell: mapsos serve, check, get, cgi and mapserv's own command line."""
