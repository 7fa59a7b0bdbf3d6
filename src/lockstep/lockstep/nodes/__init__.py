"""The ROS 2 nodes of the suite: host, player, recorder, comparator. The only place that imports
rclpy."""

from ..message.rosidl import spare_generator

spare_generator()
