"""Lockstep: proof that a re-implemented ROS 2 node is a drop-in replacement."""

__version__ = "0.1.0"
