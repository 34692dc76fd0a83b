"""Read the parameters of SOS 1.0.0, from key-value pairs and XML alike."""
