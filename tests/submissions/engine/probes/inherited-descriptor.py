# A file that the grader holds open.
import os

reached = os.path.exists(f"/proc/{target['pid']}/fd/{target['descriptor']}")
