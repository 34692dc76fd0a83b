"""Bytes in and out: CGI, WSGI and the server of `mapsos serve`."""
