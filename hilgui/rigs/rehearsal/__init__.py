"""A board that exists only in software: driver and simulator of a rig to rehearse with, and to test the cage."""
