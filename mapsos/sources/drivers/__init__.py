"""One module per way to read a data source, and what they share."""
