"""Direct runs of ordinary nodes, unmodified, on the middleware rmw_lockstep_cpp
(docs/any-node.md)."""
