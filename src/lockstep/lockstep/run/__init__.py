"""Running implementations and verifying them against each other. Starts the nodes as processes;
needs no rclpy."""
