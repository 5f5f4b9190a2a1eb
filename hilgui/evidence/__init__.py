"""Evidence: hash-chained journal, signatures, bundles that a stranger can check, incidents."""
