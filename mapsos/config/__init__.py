"""Everything that the admin sets: the configuration file, the options, and which maps a client can name.

Settings are read once, by `read_settings`, into a frozen value that is passed on. Nothing is read at import, and no
other room reads the environment for an option.
"""
