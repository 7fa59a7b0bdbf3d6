"""The parts of the recorder: what it is asked for, which topics that is, where their messages go,
and the services that drive it."""
