"""Calibrations kept, read back, and what follows from them: whether figures rest on one, when one is due."""

from telemetry.calibration.keeping import Doubt, History, Kept, NotKept, keep, merged, read, read_history
from telemetry.calibration.log import log_path
from telemetry.calibration.proof import InForce, Proof, Standing, State, in_force, next_due, standing_of
from telemetry.calibration.stand import Stand, stand_now, stand_of
from telemetry.calibration.table import read_proofs, standing

__all__ = [
    "Doubt",
    "History",
    "InForce",
    "Kept",
    "NotKept",
    "Proof",
    "Stand",
    "Standing",
    "State",
    "in_force",
    "keep",
    "log_path",
    "merged",
    "next_due",
    "read",
    "read_history",
    "read_proofs",
    "stand_now",
    "stand_of",
    "standing",
    "standing_of",
]
