"""The Evaluate page: figures of a run with intervals, curves, errors and slices, each leading to its frames."""
