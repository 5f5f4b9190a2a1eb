"""One family of networks a file: how it is fed, and how its tensors become boxes."""
