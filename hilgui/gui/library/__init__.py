"""The Library page: models of the registry, recordings, runs."""
