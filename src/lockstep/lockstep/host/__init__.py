"""A component's side of a run: its execution, the frames it speaks, and the facts of both
protocols."""
