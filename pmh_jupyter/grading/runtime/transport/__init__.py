"""Framed msgpack messages between the judge and a student process, over a stream socket.

Every message from the student process is treated as hostile: its size, its nesting and its transfer time are bounded. Both isolations use
this package. Without it, the judge would have to trust a stream that the student's code can write to.
"""
