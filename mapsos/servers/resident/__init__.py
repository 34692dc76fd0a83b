"""The process that stays and answers for later CGI programs."""
