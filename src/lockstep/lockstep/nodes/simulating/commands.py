"""The topics by which a mobile base is commanded in a simulation."""

COMMANDS = "/cmd_vel"
ARRIVED = "/gazebo/cmd_vel"
"""What a bridge gives back of the commands that have come to Gazebo."""
