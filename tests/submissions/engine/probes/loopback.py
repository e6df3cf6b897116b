# A server on this machine.
import socket

with socket.create_connection(("127.0.0.1", target["port"]), timeout=2) as connection:
    reached = connection.recv(100).decode() == target["secret"]
