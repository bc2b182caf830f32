"""What learning and employment records say: Open Badges 3.0, the achievements catalogue, lists of learners."""
