"""SOS 1.0.0 as MapServer speaks it: a request becomes a question, an answer becomes its document."""
