"""Small documents: capabilities, sensors, features, application schemas, availability.

Each is built whole from a value, by lxml or from strings. Observations are never written here.
"""
