"""Run the worker process. `mapsos.servers.resident.launch` starts this file by its path, without the site module."""

import os
import site
import sys

if __name__ == "__main__":
    # Before what is installed, so that it is the package of the CGI process whatever else is.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))))
    site.main()
    from mapsos.servers.resident.freshness import Freshness
    from mapsos.servers.resident.worker_name import PACKAGE

    # Before the rest is imported: a change meanwhile must end this worker.
    freshness = Freshness(PACKAGE, os.environ.get("MAPSERVER_CONFIG_FILE") or None)
    from mapsos.servers.resident.worker import main

    sys.exit(main(sys.argv[1], freshness))
