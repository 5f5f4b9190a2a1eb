"""Drivers: cameras and rigs, one file a device, each a thin and honest translation.

A driver has a protocol of hilgui above and the vendor's bytes below, and nothing in between. It

- implements that protocol (`Camera` for a camera) and nothing else public;
- opens nothing in its constructor: `open()` or `connect()` does, and `close()` may be called twice;
- asks the device who it is before trusting it, and says what it found;
- keeps the timeouts it is given, and reaches its safe state on every way out;
- raises errors of `hilgui.errors` only: the vendor's exceptions are translated in one place;
- has a simulator that speaks the same bytes, so that nobody needs the hardware to test it;
- is announced by an entry point in `pyproject.toml`, as a stranger's driver would be. Nothing imports it by name.

Drivers see protocols, records, streams and errors of hilgui, never its engine or its GUI.
"""
