# The programs and libraries that others run.
import os

reached = os.access(os.path.dirname(target["source"]), os.W_OK)
