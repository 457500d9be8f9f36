"""Did the sign help? Two times at one place, the same hours of the week, ranges from whole days
(docs/compare.md).
"""
