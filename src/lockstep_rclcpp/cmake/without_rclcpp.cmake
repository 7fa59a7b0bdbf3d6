# lockstep_rclcpp was built where there is no rclcpp: it is there by name only.
set(lockstep_rclcpp_FOUND FALSE)
set(lockstep_rclcpp_NOT_FOUND_MESSAGE
  "lockstep_rclcpp was built without rclcpp and rclcpp_components; install both and build it again")
