"""What systemd is told by the services that it starts: sd_notify(3)."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send assignments such as `READY=1`, a line each, to whoever started us; to nobody if he does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending, contextlib.suppress(OSError):
        sending.setblocking(False)  # one that does not read must not hold the daemon up
        sending.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
