"""Syntax that OGC standards share: key-value pairs, XML input, filters, GML, exceptions, versions, updateSequence.

XML from clients is parsed without entities, document types and network. Nothing here knows an operation by name, a
layer, or a version of SOS.
"""
