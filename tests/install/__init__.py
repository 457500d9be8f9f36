"""What is installed on a machine: units, users, rules, the package."""
