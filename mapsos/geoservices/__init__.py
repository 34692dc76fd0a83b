"""The protocol of the REST interface: its parameters and filters as predicates, and its errors. It knows no layer."""
