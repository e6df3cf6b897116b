"""Runs test cells in the student's own process, for notebooks whose tests cannot run in a separate process.

What test cells gain: they may patch a library, subclass a student's class, or share a random stream with the notebook. Protection is
weaker: `tamper_guard` lists its measures and their limits.
"""
