"""Kinds of faults that real mapfiles, data and clients showed, one module each."""
