"""One command a file: what it is asked, which rooms it calls, what it prints."""
