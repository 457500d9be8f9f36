"""What a year of one sign costs: import, statistics, reports, comparison, beside plain scripts."""
