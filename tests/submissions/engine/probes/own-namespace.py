# A user namespace, in which one is root again and may mount a tmpfs of any size.
import subprocess

reached = subprocess.run(["unshare", "--user", "--map-root-user", "true"]).returncode == 0
