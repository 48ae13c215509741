#!/usr/bin/python3
"""Stands in for criu where a test needs it to answer in a certain way: `fake_criu.py swrk FD`.

What it does is in the file NAME.mode beside it: a word for each of the ways in which criu can go wrong.
What it saw goes to NAME.seen, as JSON."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(sys.argv[0]).resolve()
MODE = HERE.with_suffix(".mode").read_text().split()[0]


def varint(n):
    n &= (1 << 64) - 1
    out = b""
    while n > 0x7f:
        out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
    return out + bytes([n])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def fields(data):
    """The fields of a message, by number: lists of numbers or bytes."""
    at, found = 0, {}

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = read()
        value = read()
        if key & 7 == 2:
            at, value = at + value, data[at:at + value]
        found.setdefault(key >> 3, []).append(value)
    return found


def notify(peer, script):
    peer.send(number(1, 6) + number(2, 1) + text(5, text(1, script)))
    peer.recv(65536)


def lock(peer, pid):
    """The network of that process, as criu 3.17 does."""
    notify(peer, b"network-lock")
    for program in ("iptables-restore", "ip6tables-restore"):
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", program, "-w", "--noflush"], check=True, input=b"""*filter
:CRIU - [0:0]
-I INPUT -j CRIU
-I OUTPUT -j CRIU
-A CRIU -m mark --mark 0xc114 -j ACCEPT
-A CRIU -j DROP
COMMIT
""")


def main():
    peer = socket.socket(fileno=int(sys.argv[2]))
    version = (2, 6) if MODE == "old" else (3, 99)
    peer.recv(65536)
    if MODE == "dies":
        return 1
    if MODE == "garbage":
        peer.send(b"\xff" * 40)
        time.sleep(0.2)
        return 1
    peer.send(number(1, 10) + number(2, 1) + text(10, number(1, version[0]) + number(2, version[1])))
    request = fields(peer.recv(65536))
    opts = fields(request[2][0])
    HERE.with_suffix(".seen").write_text(json.dumps({
        "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
        "env": dict(os.environ), "argv": sys.argv[1:], "type": request[1][0], "cwd": os.getcwd(),
        "opts": {key: [v.decode("latin1") if isinstance(v, bytes) else v for v in value] for key, value in opts.items()}}))
    images = f"/proc/{os.getppid()}/fd/{opts[1][0]}"
    owners = {}
    for name in ("", "core-1.img", "timens-0.img", "parent/core-1.img"):
        if os.path.exists(f"{images}/{name}"):
            found = os.stat(f"{images}/{name}")
            owners[name] = [found.st_uid, found.st_gid, f"{found.st_mode & 0o7777:o}"]
    HERE.with_suffix(".owners").write_text(json.dumps(owners))
    log = pathlib.Path(f"/proc/{os.getppid()}/fd/{opts[17][0]}") / opts[10][0].decode()
    log.write_text("(00.000001) Version: 3.99\n(00.000002) Error (criu/x.c:7): the moon is in the way\n")
    if request[1][0] != 2:
        pathlib.Path(images, "pages-1.img").write_text("half")
    if MODE == "stranger":
        peer.send(number(1, 6) + number(2, 1) + text(5, text(1, b"setup-namespaces") + number(2, int(HERE.with_suffix(".mode").read_text().split()[1]))))
        peer.recv(65536)
        return 1
    if MODE == "locks":
        lock(peer, opts[2][0])
        os.kill(os.getpid(), signal.SIGKILL)
    if MODE == "serves":
        notify(peer, b"post-dump")
    if MODE in ("waits", "serves"):
        HERE.with_suffix(".waits").touch()
        time.sleep(60)
    if MODE == "cut":
        return 1
    peer.send(number(1, request[1][0]) + number(2, MODE == "works") + number(7, 16) + text(9, b"the first error"))
    return 0


sys.exit(main())
