"""Verifies what objects of the notebook claim about equality and order, where the contract lets them decide.

`claim_verifier` asks the objects again, about values from `near_miss_values`.
"""
