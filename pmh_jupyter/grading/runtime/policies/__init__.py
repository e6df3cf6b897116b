"""Audit hooks: what code may do while a test cell runs.

- `student_policy` (student process): the student's code cannot reach the tests through frames, tracing or the garbage collector, and
  cannot replace the code of libraries. In-process tests rely on it.
- `code_execution_policy` (judge): data from the student process never becomes code. Test cells may still use `eval`, `pickle` and
  imports for code that the release itself contains.
- `file_policy` (judge): notifies `files` before a test reads or changes a shared file.
"""
