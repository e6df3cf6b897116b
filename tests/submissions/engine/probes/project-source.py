# The grader's own code, and with it the checkout it may lie in.
import os

reached = os.path.exists(target["source"])
