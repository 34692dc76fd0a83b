"""The filters of the REST interface as predicates: where, spatialFilter, temporalFilter.

Everything is parsed into the closed tree of `mapsos.terms.predicates`. Nothing becomes SQL, and nothing is ignored: a
part that is not understood is an error with its position.
"""
