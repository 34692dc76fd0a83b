"""Decide which files can be trusted: identity, private folders, the cache folder.

A file is trusted if only this user could have written it, and is the same as long as size, time and inode are.
Also where an extension module is. Standard library only. What is in a file is never interpreted here.
"""
