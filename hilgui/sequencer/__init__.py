"""Test cases: schema, loading, steps, runner, teardown."""
