"""Drivers of cameras: UVC and what else OpenCV opens, network streams, a recording that plays the camera."""
