"""Cohort Counts 1.0, a protocol of lernode: how many learners have which skill, told with differential privacy."""
