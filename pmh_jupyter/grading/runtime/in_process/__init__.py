"""Runs test cells in the student's own process, for notebooks whose tests cannot run in a separate process.

What test cells gain: they may patch a library, subclass a student's class, or share a random stream with the notebook. The price is weaker
protection: `tamper_guard` describes what it restores and what it cannot prevent.
"""
