"""Skills and the frameworks that name them: the few that lernode carries, and those in files that its user has."""
