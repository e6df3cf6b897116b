"""Everything that runs in the sandbox: executes a submission's cells and runs the tests of its release.

Nothing here imports another part of `pmh_jupyter`. The packages are layers, from `transport` at the bottom to `fork_server` at the top;
`docs/explanation/grading-runtime.md` lists them, gives the reasons for their order, and follows one submission through them.
"""
