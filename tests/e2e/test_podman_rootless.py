"""Podman of an ordinary user with our program as its runtime; see engines.py."""

import json
import os
import shutil

import pytest

from containers import IS_ROOT, USER, need
from engines import UsersPodman

pytestmark = [pytest.mark.engine, pytest.mark.slow]

#: For the mount namespace of a podman: nothing but cgroup v2, with what controllers v1 has left to it.
PURE_V2_VIEW = "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 99; "


def need_podman():
    need(IS_ROOT, "needs root, to become another user")
    need(shutil.which("podman") and shutil.which("newuidmap"), "podman or uidmap is not installed")
    need(os.path.exists("/etc/subuid") and os.path.exists("/etc/subgid"), "/etc/subuid is not there to be replaced")


@pytest.fixture(scope="module")
def podman(program, template):
    need_podman()
    engine = UsersPodman(program, template)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def podman_on_v2(program, template):
    """The same in a mount namespace in which cgroups are of v2 only."""
    need_podman()
    engine = UsersPodman(program, template, PURE_V2_VIEW)
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def nothing_stays(podman):
    """After each test no container of the runtime is there."""
    yield
    podman("rm", "--all", "--force", "--time", "0")
    roots = list((podman.dir / "run").glob("containr/*"))
    assert roots == [], "states are left"


def box(podman, *args, flags=(), **more):
    return podman("run", "--rm", "--network", "none", *flags, "localhost/box", *args, **more)


def test_run(podman):
    seen = json.loads(box(podman, "/bin/probe"))
    assert seen["uid"] == [0] * 3 and seen["pid"] == 1 and seen["seccomp"] == 2
    assert box(podman, "cat", "/proc/self/uid_map").split() == ["0", str(USER), "1", "1", "2000000", "65536"]


def test_network_of_the_host(podman):
    text = podman("run", "--rm", "--network", "host", "localhost/box", "readlink", "/proc/self/ns/net")
    assert text.strip() == os.readlink("/proc/self/ns/net")


def test_keep_id(podman):
    assert box(podman, "id", "-u", flags=["--userns", "keep-id"]) == f"{USER}\n"


def test_exit_status(podman):
    box(podman, "sh", "-c", "exit 42", status=42)
    box(podman, "/bin/nothing", status=127)


def test_life(podman):
    podman("run", "--detach", "--network", "none", "--name", "life", "localhost/box", "/bin/probe", "--wait")
    assert podman("exec", "life", "id", "-u") == "0\n"
    podman("exec", "life", "sh", "-c", "exit 7", status=7)
    podman("stop", "--time", "10", "life")
    assert podman("inspect", "life", "--format", "{{.State.ExitCode}}").strip() == "0"


def test_terminal(podman):
    assert "/dev/pts/" in box(podman, "tty", flags=["-t"])


def test_volumes(podman):
    (podman.dir / "data/file").write_text("as it was\n")
    os.chown(podman.dir / "data/file", USER, USER)
    box(podman, "sh", "-c", "echo new >/v/new", flags=["-v", f"{podman.dir}/data:/v"])
    assert (podman.dir / "data/new").stat().st_uid == USER
    # Podman asks for a mount of type overlay, with userxattr.
    text = box(podman, "sh", "-c", "echo changed >/v/file; cat /v/file", flags=["-v", f"{podman.dir}/data:/v:O"])
    assert text == "changed\n" and (podman.dir / "data/file").read_text() == "as it was\n"


def test_limits_on_v1_are_podmans_to_leave_out(podman):
    """There podman asks the runtime for none, and says so itself."""
    need(not os.path.exists("/sys/fs/cgroup/cgroup.controllers"), "this host has cgroups of v2 only")
    box(podman, "true", flags=["--memory", "64m", "--pids-limit", "77"])
    assert "Resource limits are not supported and ignored" in podman.stderr


@pytest.mark.parametrize("flag, key", [("--memory=64m", "memory"), ("--pids-limit=77", "pids")])
def test_limits_that_cannot_be_set_are_errors(podman_on_v2, flag, key):
    """Podman passes them on, without a cgroupsPath: not one is dropped in silence."""
    box(podman_on_v2, "true")
    box(podman_on_v2, "true", flags=[flag], status=126)
    assert f"linux.resources.{key}." in podman_on_v2.stderr and f"controller `{key}`" in podman_on_v2.stderr
    assert f"cgroup_enable={key}" in podman_on_v2.stderr
    podman_on_v2("rm", "--all", "--force", "--time", "0")
    assert list((podman_on_v2.dir / "run").glob("containr/*")) == []
