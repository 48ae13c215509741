"""Podman of an ordinary user, with our program as its runtime: cgroups by file system, storage in a temporary directory.

The user exists for podman alone: in a mount namespace with other files over /etc/passwd, /etc/subuid and the like.
"""

import json
import os
import shutil
import subprocess
import tempfile
import pathlib

import pytest

from containers import IS_ROOT, USER, need, processes_with, wait_until
from people import WITH_OTHER_FILES

pytestmark = [pytest.mark.engine, pytest.mark.slow]

NAME = "e2e-user"
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime_supports_json = ["crun", "runc", "containr-oci"]
[engine.runtimes]
containr-oci = ["{program}"]
"""


#: For the mount namespace of a podman: nothing but cgroup v2, with what controllers v1 has left to it.
PURE_V2_VIEW = "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 99; "


class UsersPodman:
    """A podman of a user with ranges of ids."""

    def __init__(self, program, template, before=""):
        self.before = before
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctr-podman-"))
        self.dir.chmod(0o755)
        self.token = "e2e" + self.dir.name[-8:]
        self.program = program
        for name in ("home", "run", "etc", "data"):
            (self.dir / name).mkdir()
        for name in ("passwd", "group"):
            text = pathlib.Path("/etc", name).read_text(encoding="utf-8")
            (self.dir / "etc" / name).write_text(text + {
                "passwd": f"{NAME}:x:{USER}:{USER}::{self.dir}/home:/bin/sh\n", "group": f"{NAME}:x:{USER}:\n"}[name])
        for name in ("subuid", "subgid"):
            (self.dir / "etc" / name).write_text(f"{NAME}:2000000:65536\n")
        (self.dir / "containers.conf").write_text(CONFIGURATION.format(program=program))
        for name in ("home", "run", "data"):
            os.chown(self.dir / name, USER, USER)
        (self.dir / "run").chmod(0o700)
        archive = self.dir / "image.tar"
        subprocess.run(["tar", "-C", str(template), "-cf", str(archive), "."], check=True)
        self("import", archive, "localhost/box")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": f"{self.dir}/home", "XDG_RUNTIME_DIR": f"{self.dir}/run",
                "E2E_TOKEN": self.token, "CONTAINERS_CONF": str(self.dir / "containers.conf")}

    def argv(self, *args):
        """Podman, or what follows "--" in its place, as the user."""
        words = ["podman", "--storage-driver", "vfs", "--runtime", self.program, *map(str, args)]
        if args[0] == "--":
            words = list(args[1:])
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", self.before + WITH_OTHER_FILES, f"{self.dir}/etc",
                "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]

    def __call__(self, *args, status=0, timeout=90):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
            process = subprocess.run(self.argv(*args), env=self.environment(), stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=error, timeout=timeout, check=False, cwd="/")
            out.seek(0)
            error.seek(0)
            output, self.stderr = out.read(), error.read()
        assert status is None or process.returncode == status, \
            f"podman {args}: status {process.returncode}\n{output}\n{self.stderr}"
        return output

    def close(self):
        self("rm", "--all", "--force", "--time", "0", status=None)
        # Podman keeps a process that holds its user namespace.
        for pid in processes_with(self.token):
            os.kill(pid, 15)
        wait_until(lambda: not processes_with(self.token), what="all of podman has ended")
        shutil.rmtree(self.dir, ignore_errors=True)


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
