"""A zoo of faults that ports of nodes have, each planted in what a node makes of a real recording.

Each is a node and its port: `right` and `wrong` make the columns of an output of those of a
recorded input. What `diagnose` says of their difference should be one of `laws`.
"""
