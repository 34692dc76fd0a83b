"""Settings of the admin: the configuration file and the environment, read once and never at import."""
