"""Made road scenes: seeded drives with exact truth, so that nobody's recordings have to be shipped."""
