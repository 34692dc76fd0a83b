"""The resident worker, which answers the requests of CGI processes."""
