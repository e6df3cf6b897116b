# A socket in the abstract name space, which no file permission guards.
import socket

with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(2)
    connection.connect("\0" + target["abstract"])
    reached = True
