"""Search for inputs that tell implementations apart, and how good inputs are."""
