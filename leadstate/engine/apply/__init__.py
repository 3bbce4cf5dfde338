"""Makes the changes of a plan."""
