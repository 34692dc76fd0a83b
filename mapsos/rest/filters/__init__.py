"""The filters of the REST interface: where, spatialFilter and temporalFilter as predicates."""
