"""How many vehicles are found, and how well measured, where the truth is known."""
