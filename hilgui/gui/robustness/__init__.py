"""The Robustness page: what was done to the models, and what they did not stand."""
