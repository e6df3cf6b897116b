# Any process outside: seen, and open to signals.
import os

os.kill(target["pid"], 0)
reached = target["word"] in open(f"/proc/{target['pid']}/cmdline").read()
