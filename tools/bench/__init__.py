"""`make bench`: Lockstep beside its peers, in one run, in an environment of their own."""
