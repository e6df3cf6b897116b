"""The two ends of the connection between the judge and the student process.

`peer` is common to both. The judge's end applies the contract (`contract_peer`); the student's end has the notebook's objects.
"""
