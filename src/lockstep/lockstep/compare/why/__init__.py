"""Why what differs does: the simplest law for each field."""
