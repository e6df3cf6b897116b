# Memory that belongs to no process, and so to no limit.
import os

reached = os.memfd_create("hoard") >= 0
