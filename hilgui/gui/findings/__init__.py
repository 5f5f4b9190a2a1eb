"""The Findings page: every corner case of every run, and what people make of it."""
