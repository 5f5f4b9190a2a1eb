"""The Rig page: devices, arming, controls, invariants, console; and the link to the supervisor, which outlives it."""
