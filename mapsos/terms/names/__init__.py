"""Names as clients write them: lists of names, and misspellings of known ones."""
