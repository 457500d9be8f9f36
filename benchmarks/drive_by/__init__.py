"""Whether a vehicle of known speed finds what a sign reads wrong."""
