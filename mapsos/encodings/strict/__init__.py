"""om:Measurement and om:Observation that are valid against the schemas of the OGC.

They differ from MapServer's wherever those are not valid. Nothing here depends on ``mapserver``'s wording.
"""
