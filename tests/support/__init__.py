"""What tests and benchmarks share: programs that are started, data that are made, clients that ask."""
