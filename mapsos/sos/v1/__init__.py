"""SOS 1.0.0, compatible with MapServer: a request becomes a question, an answer becomes a document."""
