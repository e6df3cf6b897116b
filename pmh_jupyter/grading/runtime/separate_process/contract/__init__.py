"""What tests may do with the objects of a submission.

`contract` permits uses by place, `places` finds the place, and `observations` collects what a test cell shows about the submission.
"""
