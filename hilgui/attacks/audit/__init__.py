"""The red-team audit: ways in which a model can be fooled, with findings that are tested again."""
