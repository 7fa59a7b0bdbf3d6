"""A local web page of the runs in a folder."""
