"""The resident CGI worker: a process that stays, and answers what CGI processes of the same kind hand over to it."""
