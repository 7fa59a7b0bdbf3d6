"""The `lockstep` command: one module per sub-command, no logic of its own."""
