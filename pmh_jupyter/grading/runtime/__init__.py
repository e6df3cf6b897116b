"""Everything that runs in the sandbox: executes a submission's cells and runs the tests of its release.

Nothing here imports another part of `pmh_jupyter`. The packages are layers. A package imports itself and the packages before it in this
list; `tests/unit/structure/test_runtime_layers.py` checks that, imports for annotations included.

1. `transport`: framed messages between two processes that do not trust each other.
2. `sandbox`: namespaces, seccomp, limits and output capture of one student process.
3. `marshalling`: values to msgpack and back, with the identity of mutable values.
4. `proxies`: objects that stay in the other process and are used from this one.
5. `files`: folders that test cells and notebook share although each process has its own.
6. `execution`: runs one cell in an IPython shell.
7. `test_cells`: splits, rewrites, runs and records test cells; partial credit and test helpers.
8. `policies`: audit hooks that restrict the student's code and the judge.
9. `in_process`: runs test cells in the student process, hardened against tampering.
10. `separate_process`: runs test cells in the judge, which the student's code never enters.
11. `kernels`: notebooks in other languages, through a Jupyter kernel.
12. `fork_server`: forks a judge and a student process for each submission, and drives both.

Why this order: `files` comes before `policies` because the file policy notifies the file synchronization of operations on files, while the
synchronization needs nothing but `transport`. `in_process` comes before `kernels` because the judge of a kernel is a subclass of
`InProcessJudge`.

`docs/explanation/grading-runtime.md` follows one submission through these packages.
"""
