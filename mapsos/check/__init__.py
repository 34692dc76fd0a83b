"""Find problems of mapfiles and their data, for the admin's terminal or a program.

What the text of a mapfile shows comes first, then what only its data can show. It never changes anything, and never
decides what a request gets: it reports what the other rooms would do.
"""
