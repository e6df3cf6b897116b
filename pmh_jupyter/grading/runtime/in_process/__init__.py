"""Runs test cells in the student's own process, for notebooks whose tests cannot run in a separate process.

It buys the test cells that a separate process cannot run: tests that patch a library, subclass a student's class, or share a random
stream with the notebook. The price is weaker protection: `tamper_guard` says what it restores and what it cannot prevent.
"""
