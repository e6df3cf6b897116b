reached = bool(open("/etc/passwd").read())
