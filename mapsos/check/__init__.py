"""Find problems of mapfiles and their data; change nothing."""
