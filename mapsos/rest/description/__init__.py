"""Describe the REST interface for programs: its OpenAPI document, and JSON Schemas of its resources.

The description follows from the tables that requests are read with. It promises nothing that requests do not accept.
"""
