"""What the launch files of this package share. Needs `launch` and `launch_ros`, which only a ROS 2
distro has."""
