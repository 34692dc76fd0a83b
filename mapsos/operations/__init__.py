"""The operations of SOS 1.0.0, one module each: question times service gives what each layer is asked."""
