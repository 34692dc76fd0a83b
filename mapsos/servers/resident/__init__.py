"""The CGI worker: a process that stays and answers the requests of later CGI processes.

What runs in the CGI process before it hands its request over imports next to nothing, since every request pays for it.
Only the same user can reach the worker. If it is absent, busy or outdated, the CGI process answers by itself: no
request fails because of the worker.
"""
