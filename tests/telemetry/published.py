"""Tables that were published with their results, each as whole speeds and vehicles."""

from __future__ import annotations

from collections import Counter

# "Example of Spot Speed Study", BFC 32302 (UTHM 2013): state road, limit 60 km/h, 15 classes 40-44, 45-49 ...
# with published mid-points 42, 47 ...: mean 69.9, median 68.1, V85 88 from the curve, 95 of 130 at 60 or more
UTHM = {42 + 5 * step: n for step, n in enumerate([5, 8, 12, 10, 15, 21, 16, 11, 10, 4, 5, 4, 5, 1, 3])}

# Iowa IHRB TR-455 (2002), table 2-1, mph: by its rule P50 29.4 and P85 35.8
IOWA = {15: 1, 18: 2, 21: 6, 24: 12, 27: 13, 30: 20, 33: 18, 36: 14, 39: 6, 42: 6, 45: 1, 48: 1}

# "Spot speed study - 85th percentile demo", 15 single speeds, mph: 46.75
DEMO = Counter([20, 23, 26, 48, 33, 46, 31, 32, 34, 23, 25, 48, 37, 21, 47])

# Garber and Hoel, 5th ed., problem 4-10 "before": class mid-points, mph: 34.9, sum of squares 350.7
GARBER = {29: 4, 32: 5, 35: 12, 38: 6, 41: 3}

# A thread of engineers on the PE exam: 84 % at 42 mph, 97 % at 47 mph: 42.385
FORUM = {42: 84, 47: 13, 60: 3}

# TxDOT, Procedures for Establishing Speed Zones: of 125 cars the 106th from the slowest, 48 mph
TEXAS = {40: 105, 48: 1, 55: 19}

# Markt Flachslanden (DE), 23 October to 6 November 2014: 9,193 vehicles in 14 days, 657 a day
FLACHSLANDEN_N, FLACHSLANDEN_DAYS = 9193, 14
