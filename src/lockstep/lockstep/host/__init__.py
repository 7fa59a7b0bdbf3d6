"""A component's side of a run: its execution, its frames, and the facts of both protocols.

The twin of src/host in lockstep_cpp, file by file.
"""
