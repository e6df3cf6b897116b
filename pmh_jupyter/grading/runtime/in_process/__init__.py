"""Runs test cells in the student process, for notebooks whose tests cannot run in a separate process.

Test cells can patch a library, subclass a student's class, or share a random stream with the notebook. Protection is weaker: `tamper_guard`
lists its measures and their limits.
"""
