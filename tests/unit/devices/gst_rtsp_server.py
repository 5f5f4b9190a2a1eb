"""A real RTSP server (GStreamer's) with a test picture, for the system's own Python: `gst_rtsp_server.py PORT`.

Needs Debian's gir1.2-gst-rtsp-server-1.0, python3-gi and the good and ugly GStreamer plug-ins. Prints "ready".
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 )"
)

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(PIPELINE)
factory.set_shared(True)
server.get_mount_points().add_factory("/cam", factory)
if not server.attach(None):
    sys.exit(f"port {sys.argv[1]} is taken")
print("ready", flush=True)
GLib.MainLoop().run()
