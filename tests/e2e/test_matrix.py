"""What is in force, seen from inside: who asks (root, root for --user 1000, an ordinary user) × what is asked for.

Nothing here reads our own state: the probe tells of its capabilities, filter, mounts, devices, namespaces and keyring,
once as the container's first process and once as one that `exec` put there.
"""

import json
import os
import stat

import pytest

from containers import caps_mask, mount_options, own_caps, status_field
from test_run import FOURTEEN, HIDDEN, THERMAL

KINDS = ("bounding", "effective", "permitted", "inheritable", "ambient")
#: Never without being named: what each of them can do to the host is in capabilities(7).
DANGEROUS = "SYS_ADMIN SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_BOOT MAC_ADMIN MAC_OVERRIDE DAC_READ_SEARCH".split()
ASKED = {
    "default": [],
    "strict": ["--secure", "strict"],
    "dev": ["--secure", "dev"],
    "privileged": ["--privileged"],
    "custom": ["--cap-drop", "ALL", "--cap-add", "net_bind_service,CAP_KILL", "--security-opt", "seccomp=unconfined",
               "--security-opt", "no-new-privileges=false", "--security-opt", "unmask=/proc/keys", "--security-opt",
               "mask=/proc/version"],
}
CLOSED = ("default", "strict", "dev")
CALLERS = {"root": ("root", []), "user": ("root", ["--user", "1000"]), "rootless": ("user", [])}


def expected_caps(caller, asked):
    """The five sets. Explicitly added ones, and no others, work for a user that is not root (moby#8460)."""
    everything = own_caps() if caller != "rootless" else None
    bounding = {"default": caps_mask(FOURTEEN), "strict": 0, "privileged": everything,
                "dev": caps_mask(FOURTEEN + ["SYS_PTRACE"]), "custom": caps_mask(["NET_BIND_SERVICE", "KILL"])}[asked]
    if caller != "user":
        return dict.fromkeys(KINDS[:3], bounding) | dict.fromkeys(KINDS[3:], 0)
    added = {"custom": bounding, "dev": caps_mask(["SYS_PTRACE"])}.get(asked, 0)
    return dict.fromkeys(KINDS, added) | {"bounding": bounding}


def check_caps(seen, caller, asked):
    want = expected_caps(caller, asked)
    got = {kind: seen["caps"][kind] for kind in KINDS}
    if want["bounding"] is None:  # in a user namespace: all that the kernel knows
        assert got["bounding"] == got["effective"] == got["permitted"] > caps_mask(DANGEROUS)
        assert got["inheritable"] == got["ambient"] == 0
        return
    assert got == want
    if asked not in ("privileged", "dev"):
        assert not got["bounding"] & caps_mask(DANGEROUS)


def check_filter(seen, asked):
    closed = asked in CLOSED
    assert status_field(seen, "Seccomp") == ("2" if closed else "0")
    assert status_field(seen, "Seccomp_filters") == ("1" if closed else "0")
    assert seen["noNewPrivileges"] == int(closed)
    assert seen["securebits"] == 0 and seen["fds"].keys() >= {"0", "1", "2"} and seen["openFds"] == [0, 1, 2]


def check_flags(line):
    """No mount lets a set-user-id program or a device file of an image have its way, none of the kernel's executes."""
    place, flags = line.split()[4], set(line.split()[5].split(","))
    # What covers is the null device or an empty directory; what lies in /dev is a single device, or has its own row here.
    if place in HIDDEN or place == "/proc/version" or place.startswith(THERMAL):
        return
    if place.startswith("/dev/") and place not in ("/dev/pts", "/dev/shm", "/dev/mqueue"):
        return
    assert "nosuid" in flags, line
    assert "nodev" in flags or place in ("/dev", "/dev/pts"), line
    assert "noexec" in flags or not place.startswith(("/proc", "/sys", "/dev/")), line


def check_mounts(seen, asked):
    opened = asked == "privileged"
    assert "ro" in mount_options(seen, "/")[0] and {"ro", "nosuid", "nodev"} <= mount_options(seen, "/usr")[0]
    for path in ("/sys", "/sys/fs/cgroup"):
        assert ("rw" if opened else "ro") in mount_options(seen, path)[0], path
    places = {line.split()[4] for line in seen["mounts"]}
    for path in ("/proc/sys", "/proc/kcore", "/sys/firmware"):
        assert (path in places) != opened or not os.path.exists(path), path
    assert ("/proc/keys" in places) == (asked in CLOSED)
    assert ("/proc/version" in places) == (asked == "custom")
    assert "noexec" in mount_options(seen, "/dev/shm")[0]
    for line in seen["mounts"]:
        check_flags(line)
    # Nothing of what is mounted inside is shared with the host, or would get back to it.
    assert not any("shared:" in line for line in seen["mounts"])


def check_world(seen, caller, asked):
    for name, link in seen["namespaces"].items():
        if name in ("time", "time_for_children") or (name == "user" and caller != "rootless"):
            continue
        assert link != os.readlink(f"/proc/self/ns/{name}"), name
    usual = {"null", "zero", "full", "random", "urandom", "tty"}
    devices = {name for name, device in seen["devices"].items() if stat.S_ISCHR(device["mode"]) or stat.S_ISBLK(device["mode"])}
    if asked != "privileged":
        assert devices - {"ptmx", "console"} == usual
    else:
        assert devices >= usual
    assert seen["uid"] == [1000 if caller == "user" else 0] * 3
    assert seen["hostname"] != os.uname().nodename
    # A keyring of its own, of which the filter lets nobody know.
    assert (seen["sessionKeyring"] > 0) == (asked in ("privileged", "custom"))


@pytest.fixture(params=CALLERS)
def caller(request):
    fixture, flags = CALLERS[request.param]
    return request.param, request.getfixturevalue(fixture), flags


@pytest.mark.parametrize("asked", ASKED)
def test_first_process(caller, asked):
    name, people, flags = caller
    seen = people.seen(*ASKED[asked], *flags)
    check_caps(seen, name, asked)
    check_filter(seen, asked)
    check_mounts(seen, asked)
    check_world(seen, name, asked)


@pytest.mark.parametrize("asked", ASKED)
def test_process_of_exec(caller, asked):
    """It has what the container has, and no more: no inheritable set, the same filter, no way back."""
    name, people, flags = caller
    id = people.new_id()
    people("run", "--name", id, "-d", "-e", f"E2E_TOKEN={people.token}", "-v", f"{people.probe_program}:/run/probe:ro",
           *ASKED[asked], *flags, "--", "sleep", "100")
    try:
        seen = json.loads(people.in_other_program("exec", id, "/run/probe").stdout)
    finally:
        people.delete(id)
    check_caps(seen, name, asked)
    check_filter(seen, asked)
    check_world(seen, name, asked)
