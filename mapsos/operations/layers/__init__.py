"""The layers of a service: what their columns mean, and facts that their data show.

Facts are cached by the identity of the data. Observations are never read for a response here.
"""
