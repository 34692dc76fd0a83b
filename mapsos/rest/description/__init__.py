"""Describe the REST interface: OpenAPI and JSON Schemas."""
