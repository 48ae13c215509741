"""Podman, the real thing, with our program as its runtime: offline, and without a trace on the host.

Podman lives in namespaces of its own (pid, mount, network), with storage, state and configuration in
a temporary directory; only its cgroups are the host's, and they go at the end.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import pathlib

import pytest

from containers import IS_ROOT, cgroup_dirs, need, processes_with, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow]

CONFIGURATION = """
[containers]
# What root without CAP_SYS_RESOURCE may set, too.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime_supports_json = ["crun", "runc", "containr-oci"]
[engine.runtimes]
containr-oci = ["{program}"]
[network]
network_backend = "netavark"
network_config_dir = "{dir}/networks"
"""

SETUP = """
mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/netns
ip link set lo up
echo ready
exec sleep 100000
"""


class Podman:
    """A podman of our own."""

    def __init__(self, program, template):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctr-podman-"))
        self.token = "e2e" + self.dir.name[-8:]
        (self.dir / "networks").mkdir()
        (self.dir / "containers.conf").write_text(
            CONFIGURATION.format(program=program, dir=self.dir))
        self.had_parent = set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True))
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation",
             "private", "sh", "-e", "-c", SETUP], stdout=subprocess.PIPE, env=self.environment())
        assert self.keeper.stdout.readline() == b"ready\n"
        children = f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children"
        self.pid = wait_until(lambda: open(children).read().split())[0]
        self.runtime = program
        archive = self.dir / "image.tar"
        subprocess.run(["tar", "-C", str(template), "-cf", str(archive), "."], check=True)
        self("import", archive, "localhost/box")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.dir), "E2E_TOKEN": self.token,
                "CONTAINERS_CONF": str(self.dir / "containers.conf")}

    def argv(self, *args):
        return ["nsenter", "-t", self.pid, "-m", "-n", "-p", "-w", "--", "podman", "--root",
                f"{self.dir}/storage", "--runroot", f"{self.dir}/run", "--tmpdir",
                f"{self.dir}/tmp", "--storage-driver", "vfs", "--runtime", self.runtime,
                *map(str, args)]

    def __call__(self, *args, status=0, timeout=60, text=None):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
            process = subprocess.run(self.argv(*args), env=self.environment(), stdout=out,
                                     stderr=error, timeout=timeout, check=False, text=True,
                                     **({"input": text} if text else {"stdin": subprocess.DEVNULL}))
            out.seek(0)
            error.seek(0)
            self.stderr = error.read()
            output = out.read()
        assert status is None or process.returncode == status, \
            f"podman {args}: status {process.returncode}\n{output}\n{self.stderr}"
        return output

    def close(self):
        self("rm", "--all", "--force", "--time", "0", status=None)
        self.keeper.kill()
        self.keeper.wait()
        wait_until(lambda: not processes_with(self.token), what="all of podman has ended")
        for parent in set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True)) - self.had_parent:
            for where, _names, _files in os.walk(parent, topdown=False):
                os.rmdir(where)
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(scope="module")
def podman(program, template):
    need(IS_ROOT, "needs root")
    need(shutil.which("podman"), "podman is not installed")
    engine = Podman(program, template)
    reference = shutil.which("runc") or shutil.which("crun")
    if reference:
        engine.runtime = reference
        engine("run", "--rm", "--network", "none", "localhost/box", "true", status=None)
        need("Error" not in engine.stderr, f"podman does not work here with {reference} either: {engine.stderr}")
        engine.runtime = program
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def nothing_stays(podman):
    """After each test there is no container, and no cgroup of one."""
    yield
    ids = podman("ps", "--all", "--quiet", "--no-trunc").split()
    podman("rm", "--all", "--force", "--time", "0")
    assert ids == []
    assert [path for path in cgroup_dirs("libpod-") if not path.endswith("conmon")] == []


def box(podman, *args, flags=(), **more):
    return podman("run", "--rm", *flags, "localhost/box", *args, **more)


def test_network_none(podman):
    text = box(podman, "/bin/probe", flags=["--network", "none"])
    seen = json.loads(text)
    assert seen["seccomp"] == 2
    assert [line.split(":")[0].strip() for line in seen["netDevices"][2:]] == ["lo"]


def test_network_host(podman):
    seen = json.loads(box(podman, "/bin/probe", flags=["--network", "host"]))
    assert seen["namespaces"]["net"] == os.readlink(f"/proc/{podman.pid}/ns/net")


def test_network_bridge(podman):
    assert re.search(r"inet 10\.\d+\.\d+\.\d+/16", box(podman, "ip", "addr", "show", "eth0"))


def test_containers_on_the_bridge_reach_each_other(podman):
    podman("run", "--detach", "--name", "server", "localhost/box",
           "sh", "-c", "echo answer | nc -l -p 80 & trap exit TERM; wait; sleep 1000 & wait")
    address = podman("inspect", "server", "--format", "{{.NetworkSettings.IPAddress}}").strip()
    assert box(podman, "sh", "-c", f"sleep 0.3; nc -w 5 {address} 80 </dev/null") == "answer\n"
    podman("rm", "--force", "--time", "0", "server")


def test_exit_status(podman):
    box(podman, "sh", "-c", "exit 42", status=42)
    box(podman, "/bin/nothing", status=127)
    box(podman, "/etc/passwd", status=126)


def test_standard_input(podman):
    assert podman("run", "--rm", "-i", "localhost/box", "cat", text="through\n") == "through\n"


def test_exec_stop_and_remove(podman):
    podman("run", "--detach", "--name", "life", "localhost/box", "/bin/probe", "--wait")
    assert podman("exec", "life", "hostname").strip() == \
        podman("inspect", "life", "--format", "{{.Config.Hostname}}").strip()
    podman("exec", "life", "sh", "-c", "exit 7", status=7)
    podman("exec", "life", "/bin/nothing", status=127)
    seen = json.loads(podman("exec", "--user", "1000:100", "--workdir", "/tmp", "--env", "A=b",
                             "life", "/bin/probe"))
    assert seen["uid"] == [1000] * 3 and seen["cwd"] == "/tmp" and "A=b" in seen["env"]
    begin = time.monotonic()
    podman("stop", "--time", "10", "life")
    assert time.monotonic() - begin < 5, "SIGTERM did not end it"
    assert podman("inspect", "life", "--format", "{{.State.ExitCode}}").strip() == "0"
    podman("start", "life")
    podman("kill", "life")
    podman("wait", "life")
    assert podman("inspect", "life", "--format", "{{.State.ExitCode}}").strip() == "137"
    podman("rm", "life")


def test_create_start_logs(podman):
    podman("create", "--name", "later", "localhost/box", "echo", "logged")
    podman("start", "later")
    podman("wait", "later")
    assert podman("logs", "later") == "logged\n"
    podman("rm", "later")


def test_pause(podman):
    podman("run", "--detach", "--name", "paused", "localhost/box", "/bin/probe", "--wait")
    podman("pause", "paused")
    assert podman("inspect", "paused", "--format", "{{.State.Status}}").strip() == "paused"
    podman("unpause", "paused")
    podman("rm", "--force", "--time", "0", "paused")


def test_top(podman):
    podman("run", "--detach", "--name", "top", "localhost/box", "/bin/probe", "--wait")
    assert "--wait" in podman("top", "top")
    podman("rm", "--force", "--time", "0", "top")


def test_limits_and_options(podman):
    seen = json.loads(box(podman, "/bin/probe", flags=[
        "--network", "none", "--hostname", "named", "--user", "12:34", "--cap-drop", "all",
        "--cap-add", "chown", "--read-only", "--tmpfs", "/scratch:size=64k", "--workdir", "/usr",
        "--security-opt", "no-new-privileges", "--ulimit", "nofile=100:200", "--ulimit", "nproc=4096:4096", "--oom-score-adj", "100",
        "--sysctl", "net.ipv4.ip_forward=1", "--umask", "0077", "--group-add", "56"]))
    assert seen["hostname"] == "named" and seen["uid"] == [12] * 3 and seen["gid"] == [34] * 3
    assert seen["caps"]["bounding"] == 1 and seen["noNewPrivileges"] == 1
    assert seen["rlimits"]["RLIMIT_NOFILE"] == [100, 200]
    assert seen["oomScoreAdj"] == 100 and seen["umask"] == 0o077 and 56 in seen["groups"]
    assert seen["cwd"] == "/usr"
    assert any(line.split()[4] == "/scratch" for line in seen["mounts"])


def test_terminal(podman):
    assert "/dev/pts/" in box(podman, "tty", flags=["-t", "--network", "none"])


def test_volume(podman):
    (podman.dir / "shared").mkdir()
    box(podman, "sh", "-c", "echo from inside >/v/file", flags=["-v", f"{podman.dir}/shared:/v"])
    assert (podman.dir / "shared/file").read_text() == "from inside\n"


def test_user_namespace(podman):
    text = box(podman, "cat", "/proc/self/uid_map",
               flags=["--network", "none", "--uidmap", "0:200000:65536", "--gidmap", "0:200000:65536"])
    assert text.split() == ["0", "200000", "65536"]


def test_shared_namespaces(podman):
    text = box(podman, "true", flags=["--network", "container:none-such"], status=None)
    assert text == "" and "none-such" in podman.stderr
    podman("run", "--detach", "--name", "first", "localhost/box", "/bin/probe", "--wait")
    shared = json.loads(box(podman, "/bin/probe", flags=["--network", "container:first",
                                                         "--pid", "container:first"]))
    assert shared["pid"] > 1
    podman("rm", "--force", "--time", "0", "first")
