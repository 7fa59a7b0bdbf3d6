"""A component's side of a run: its execution, its frames, and the facts of both protocols.

A file that lockstep_cpp has in src/host, too, is its twin.
"""
