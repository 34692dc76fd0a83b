"""WSGI: ``application`` for mod_wsgi, gunicorn and other servers (PEP 3333).

    gunicorn --env MAPSERVER_CONFIG_FILE=/etc/mapsos.conf mapsos.wsgi:application

Settings are read from the environment of the process when the first request arrives. A MAPSERVER_CONFIG_FILE in the
environment of the request (mod_wsgi's SetEnv) takes precedence.
"""

from mapsos.servers.wsgi_adapter import application

__all__ = ["application"]
