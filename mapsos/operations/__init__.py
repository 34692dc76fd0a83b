"""Answer questions about a service, whatever the protocol: one module for each operation."""
