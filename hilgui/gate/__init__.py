"""The gate: from paired runs of many drives to one decision."""
