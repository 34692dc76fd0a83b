"""Names as clients and admins write them: lists of names, misspellings of known ones, and addresses of the network."""
