"""The laws that `diagnose` tries: how one series may follow from another. Pure numpy."""
