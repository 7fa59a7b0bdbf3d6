"""What a ROS message is: its reflection, definition, fields, times and units.
Needs no client library.
"""
