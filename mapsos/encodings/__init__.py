"""Response formats: from batches of columns to bytes. Nothing here knows where the rows came from."""
