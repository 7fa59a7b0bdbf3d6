"""The parts of the player: what it is asked to do, what it plays in which order, when each message
is due, and who may interfere."""
