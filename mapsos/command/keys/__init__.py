"""``mapsos keys``: keys and the log of their requests for the admin, by the store alone, whether servers run or not.

Actions read arguments, change the store and write texts or JSON. A key itself is written once, when it is made.
"""
