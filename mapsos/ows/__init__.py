"""The protocol: key-value parameters, XML bodies, OGC filters, version negotiation, exception reports."""
