"""Podman of root with our program as its runtime; see engines.py."""

import json
import os
import re
import shutil
import time

import pytest

from containers import IS_ROOT, cgroup_dirs, need
from engines import RootsPodman

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def podman(program, template):
    need(IS_ROOT, "needs root")
    need(shutil.which("podman"), "podman is not installed")
    engine = RootsPodman(program, template)
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


def test_network_none(podman):
    text = podman.box("/bin/probe", flags=["--network", "none"])
    seen = json.loads(text)
    assert seen["seccomp"] == 2
    assert [line.split(":")[0].strip() for line in seen["netDevices"][2:]] == ["lo"]


def test_network_host(podman):
    seen = json.loads(podman.box("/bin/probe", flags=["--network", "host"]))
    assert seen["namespaces"]["net"] == os.readlink(f"/proc/{podman.namespaces.pid}/ns/net")


def test_network_bridge(podman):
    assert re.search(r"inet 10\.\d+\.\d+\.\d+/16", podman.box("ip", "addr", "show", "eth0"))


def test_containers_on_the_bridge_reach_each_other(podman):
    podman("run", "--detach", "--name", "server", "localhost/box",
           "sh", "-c", "echo answer | nc -l -p 80 & trap exit TERM; wait; sleep 1000 & wait")
    address = podman("inspect", "server", "--format", "{{.NetworkSettings.IPAddress}}").strip()
    assert podman.box("sh", "-c", f"sleep 0.3; nc -w 5 {address} 80 </dev/null") == "answer\n"
    podman("rm", "--force", "--time", "0", "server")


def test_exit_status(podman):
    podman.box("sh", "-c", "exit 42", status=42)
    podman.box("/bin/nothing", status=127)
    podman.box("/etc/passwd", status=126)


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
    seen = json.loads(podman.box("/bin/probe", flags=[
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
    assert "/dev/pts/" in podman.box("tty", flags=["-t", "--network", "none"])


def test_volume(podman):
    (podman.dir / "shared").mkdir()
    podman.box("sh", "-c", "echo from inside >/v/file", flags=["-v", f"{podman.dir}/shared:/v"])
    assert (podman.dir / "shared/file").read_text() == "from inside\n"


def test_user_namespace(podman):
    text = podman.box("cat", "/proc/self/uid_map",
               flags=["--network", "none", "--uidmap", "0:200000:65536", "--gidmap", "0:200000:65536"])
    assert text.split() == ["0", "200000", "65536"]


def test_shared_namespaces(podman):
    text = podman.box("true", flags=["--network", "container:none-such"], status=None)
    assert text == "" and "none-such" in podman.stderr
    podman("run", "--detach", "--name", "first", "localhost/box", "/bin/probe", "--wait")
    shared = json.loads(podman.box("/bin/probe", flags=["--network", "container:first",
                                                         "--pid", "container:first"]))
    assert shared["pid"] > 1
    podman("rm", "--force", "--time", "0", "first")
