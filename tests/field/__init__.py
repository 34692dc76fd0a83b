"""Faults that mapfiles, data and clients of the field showed, with inputs of our own: a module for each kind."""
