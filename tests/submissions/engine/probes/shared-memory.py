# The same by System V.
import ctypes

IPC_PRIVATE, CREATE = 0, 0o1600
reached = ctypes.CDLL(None).shmget(IPC_PRIVATE, 1 << 20, CREATE) >= 0
