"""Response formats: from batches of columns to bytes, independent of the source of the rows."""
