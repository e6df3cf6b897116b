"""Processes of one submission: namespaces, limits, what is given up, checkpoints. Nothing here knows what is judged."""
