"""What the admin sets: the configuration file and the environment, read once and never at import."""
