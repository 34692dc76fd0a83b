"""Decide what is trusted of files: identity, private folders, atomic replacement."""
