"""om:Measurement and om:Observation as MapServer writes them."""
