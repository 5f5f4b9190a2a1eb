"""hilgui: a hardware-in-the-loop bench for perception models."""

__version__ = "0.1.0"
