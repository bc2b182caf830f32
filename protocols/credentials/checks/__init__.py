"""The checks of verification, one file a matter. Each is a function that gives a result and never raises."""
