"""GStreamer's own RTSP server: /h264 and /h265 from two MP4 files, digest only. Usage: gst_server.py <h264.mp4> <h265.mp4> <user> <password>

Prints the port it has taken. Ends when its standard input does.
"""

import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)
h264, h265, user, password = sys.argv[1:5]
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service("0")

auth = GstRtspServer.RTSPAuth.new()
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
token = GstRtspServer.RTSPToken.new()
token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
auth.add_digest(user, password, token)
server.set_auth(auth)

mounts = server.get_mount_points()
for name, file in (("h264", h264), ("h265", h265)):
    factory = GstRtspServer.RTSPMediaFactory.new()
    # config-interval=0: parameter sets are in the SDP alone, as with cameras that send them once.
    factory.set_launch(f"( filesrc location={file} ! qtdemux ! {name}parse ! rtp{name}pay name=pay0 pt=96 config-interval=0 )")
    factory.set_shared(True)
    permissions = GstRtspServer.RTSPPermissions.new()
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True)
    permissions.add_permission_for_role("viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True)
    factory.set_permissions(permissions)
    mounts.add_factory(f"/{name}", factory)

loop = GLib.MainLoop()
if server.attach(None) == 0:
    sys.exit("the server cannot listen")
print(server.get_bound_port(), flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
loop.run()
