"""The words of the shell: ``mapsos serve``, ``check``, ``get``, ``cgi install``, and mapserv's own command line.

It reads arguments and starts what they name. It never answers a request by itself, and imports for each command only
what that command needs.
"""
