"""The registry of models: content-addressed, with aliases per slot, lineage and rollback."""
