"""From a live target to what the driver sees."""
