"""What the driver of a simulation is made of."""
