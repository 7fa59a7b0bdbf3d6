# Sets lockstep_world to `distro` where a ROS 2 Jazzy is already sourced, else to `wheels`.
# A prefix with rclcpp is a distro, or one with rclpy that is no virtual environment. For sh, bash and zsh.
lockstep_world=wheels
if [ "${ROS_DISTRO-}" = jazzy ]; then
  lockstep_rest=${AMENT_PREFIX_PATH-}:
  while [ -n "$lockstep_rest" ]; do
    lockstep_prefix=${lockstep_rest%%:*}
    lockstep_rest=${lockstep_rest#*:}
    if [ -d "$lockstep_prefix/share/rclcpp" ] ||
      { [ -d "$lockstep_prefix/share/rclpy" ] && [ ! -e "$lockstep_prefix/pyvenv.cfg" ]; }; then
      lockstep_world=distro
    fi
  done
  unset lockstep_rest lockstep_prefix
fi
