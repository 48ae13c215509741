"""Docker and containerd, the real things, with our program as their runtime: what their users do every day."""

import json
import pty
import os
import shutil
import subprocess

import pytest

from containers import IS_ROOT, cgroup_dirs, need, wait_until
from engines import Docker

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def engine(program, template):
    need(IS_ROOT, "needs root")
    need(shutil.which("dockerd") and shutil.which("docker") and shutil.which("ctr"),
         "docker.io is not installed (`tools/need docker`)")
    docker = Docker(program, template)
    if shutil.which("runc"):
        docker.run("true", runtime="runc", status=None)
        need("Error" not in docker.stderr, f"Docker does not work here with runc either: {docker.stderr}")
    yield docker
    docker.close()


@pytest.fixture(autouse=True)
def nothing_stays(engine):
    """After each test there is no container, and no cgroup of one."""
    yield
    ids = engine.docker("ps", "--all", "--quiet").split()
    for container in ids:
        engine.docker("rm", "--force", container)
    assert ids == []
    wait_until(lambda: not [path for path in cgroup_dirs(engine.token) if not path.endswith(engine.token)],
               what="no cgroup is left")


def test_what_confines(engine):
    seen = json.loads(engine.run("/bin/probe"))
    assert seen["seccomp"] == 2 and seen["openFds"] == [0, 1, 2]
    assert seen["pid"] == 1


def test_exit_statuses(engine):
    engine.run("sh", "-c", "exit 3", status=3)
    engine.run("no-such-program", status=127)
    assert "executable file not found in $PATH" in engine.stderr
    engine.run("/etc", status=126)
    engine.run("true", flags=["--runtime", "containr", "--ulimit", "nofile=5:4"], status=125)


def test_limits_and_user(engine):
    script = ("id -u; echo out >/dev/stdout; (echo x >/new) 2>/dev/null || echo read-only; ulimit -n; "
              "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max 2>/dev/null || "
              "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max")
    flags = ["--user", "1000", "--memory", "32m", "--cpus", "0.5", "--pids-limit", "50", "--read-only", "--ulimit",
             "nofile=77:88"]
    assert engine.run("sh", "-c", script, flags=flags).split() == ["1000", "out", "read-only", "77", "33554432", "50"]


def test_options(engine):
    data = engine.dir / "volume"
    data.mkdir()
    (data / "file").write_text("of the host\n")
    flags = ["--hostname", "hal", "--sysctl", "net.ipv4.ip_forward=1", "--volume", f"{data}:/vol:ro", "--workdir",
             "/vol", "--env", "A=B", "--tmpfs", "/mem:size=64k", "--init"]
    script = "hostname; cat /proc/sys/net/ipv4/ip_forward; pwd; cat file; echo $A; touch no 2>/dev/null || echo ro; " \
             "grep -c ' /mem tmpfs ' /proc/mounts; tr '\\0' ' ' </proc/1/cmdline | cut -d' ' -f1"
    assert engine.run("sh", "-c", script, flags=flags).splitlines() == \
        ["hal", "1", "/vol", "of the host", "B", "ro", "1", "/sbin/docker-init"]


def test_life(engine):
    docker = engine.docker
    script = "trap 'echo bye; exit 5' TERM; echo started; while :; do sleep 0.1; done"
    docker("run", "--detach", "--name", "long", "--runtime", "containr", "--network", "none", "box", "sh", "-c", script)
    wait_until(lambda: docker("logs", "long") == "started\n")
    assert docker("exec", "--user", "1000", "long", "sh", "-c", "id -u; echo by name >/dev/stdout") == "1000\nby name\n"
    docker("exec", "long", "sh", "-c", "exit 7", status=7)
    assert "sh -c" in docker("top", "long")
    docker("pause", "long")
    assert "Paused" in docker("ps")
    docker("unpause", "long")
    docker("update", "--memory", "64m", "--memory-swap", "64m", "long")
    assert "64MiB" in docker("stats", "--no-stream", "long")
    docker("stop", "long")
    assert docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "long") == "exited 5\n"
    assert docker("logs", "long") == "started\nbye\n"
    docker("start", "long")
    docker("kill", "long")
    wait_until(lambda: docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "long") == "exited 137\n")
    docker("rm", "long")


def test_terminal(engine):
    master, slave = pty.openpty()
    words = ["docker", "run", "--rm", "-it", "--runtime", "containr", "--network", "none", "box", "sh", "-c",
             "tty; stat -c %F /dev/console"]
    with subprocess.Popen(engine.namespaces.inside(*words), env=engine.environment(), stdin=slave, stdout=slave,
                          stderr=slave, start_new_session=True) as process:
        os.close(slave)
        text = b""
        while True:
            try:
                text += os.read(master, 4096)
            except OSError:
                break
        assert process.wait() == 0
    os.close(master)
    assert text.decode().split("\r\n")[:2] == ["/dev/pts/0", "character special file"]


def test_memory_that_runs_out_is_told(engine):
    engine.docker("run", "--name", "hog", "--runtime", "containr", "--network", "none", "--memory", "8m",
                  "--memory-swap", "8m", "box", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=1", status=137)
    assert engine.docker("inspect", "--format", "{{.State.OOMKilled}}", "hog") == "true\n"
    engine.docker("rm", "hog")


def test_containerd(engine):
    """containerd's own client, as in the interface that Kubernetes has to it: tasks, exec, pause, metrics."""
    ctr = engine.ctr
    archive = engine.dir / "saved.tar"
    engine.docker("save", "--output", archive, "box")
    ctr("images", "import", "--snapshotter", "native", archive)
    name = ctr("images", "list", "--quiet").split()[0]
    run = ["run", "--snapshotter", "native", "--runc-binary", engine.program, "--cgroup", f"/{engine.token}/ctr"]
    assert ctr(*run, "--rm", name, "one", "sh", "-c", "id -u; exit 3", status=3) == "0\n"
    ctr(*run, "--detach", name, "two", "sleep", "100")
    assert ctr("task", "exec", "--exec-id", "x", "--user", "1000", "two", "sh", "-c", "id -u") == "1000\n"
    ctr("task", "pause", "two")
    assert "PAUSED" in ctr("task", "list")
    ctr("task", "resume", "two")
    assert "memory" in ctr("task", "metrics", "two")
    ctr("task", "kill", "--signal", "KILL", "two")
    wait_until(lambda: "STOPPED" in ctr("task", "list"))
    ctr("task", "delete", "two", status=None)
    ctr("container", "delete", "two")
    ctr("images", "remove", name)


#: Flags of `docker run` and a line of shell that shows what came of them.
SHOWN = [
    (["--cgroupns", "host"], "wc -l </proc/self/cgroup"),
    (["--cgroupns", "private"], "cat /proc/self/cgroup"),
    (["--device", "/dev/null:/dev/other"], "stat -c '%A %u %g %t %T' /dev/other"),
    (["--cap-drop", "all"], "grep Cap /proc/self/status"),
    (["--cap-add", "net_admin", "--user", "1000"], "grep Cap /proc/self/status"),
    (["--group-add", "44", "--group-add", "55", "--user", "1000:5"], "id"),
    (["--security-opt", "no-new-privileges"], "grep NoNew /proc/self/status"),
    (["--security-opt", "seccomp=unconfined"], "grep Seccomp: /proc/self/status"),
    (["--security-opt", "systempaths=unconfined"], "stat -c '%A %u %g' /proc/kcore"),
    (["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj"),
    (["--memory", "64m", "--memory-reservation", "32m", "--memory-swap", "64m", "--cpu-shares", "512", "--cpuset-cpus", "0"],
     "cd /sys/fs/cgroup; cat cpuset/cpuset.cpus cpu/cpu.shares memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes "
     "2>/dev/null || cat cpuset.cpus cpu.weight memory.max memory.low memory.swap.max"),
    (["--mount", "type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1770"], "stat -c '%a %F' /t"),
    (["--mount", "type=bind,source=/usr,destination=/v,readonly,bind-propagation=rslave"],
     "grep ' /v ' /proc/self/mountinfo | cut -d' ' -f5,6; touch /v/x"),
    (["--ipc", "none"], "ls -ld /dev/shm | cut -c1-10; cat /proc/sys/kernel/shmmax"),
    (["--ipc", "host"], "ls -d /dev/shm"),
    (["--pid", "host"], "test $$ -gt 1 && echo other processes"),
    (["--uts", "host"], "hostname"),
    (["--tmpfs", "/r:rw,exec,size=100k"], "grep ' /r ' /proc/mounts"),
    (["--ulimit", "core=0", "--ulimit", "nofile=100:200"], "ulimit -c; ulimit -n; ulimit -Hn"),
    (["--read-only"], "touch /a; touch /dev/shm/a && echo shm"),
    (["--sysctl", "kernel.shmmax=1000"], "cat /proc/sys/kernel/shmmax"),
    (["--workdir", "/no/such/dir"], "pwd"),
    (["--cpus", "100"], "true"),
    ([], "kill -SEGV $$"),
]


@pytest.mark.parametrize("flags, script", SHOWN, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_shows_what_it_shows_with_runc(engine, flags, script):
    need(shutil.which("runc"), "runc is not installed")
    seen = [(engine.run("sh", "-c", script, flags=flags, runtime=runtime, status=None), engine.stderr)
            for runtime in ("runc", "containr")]
    assert seen[0] == seen[1]


def test_build(engine):
    """An image is built in containers, as its user says."""
    (engine.dir / "context").mkdir()
    (engine.dir / "context/Dockerfile").write_text(
        "FROM box\nRUN echo built >/built\nUSER 1000\nRUN id -u >/tmp/user\nCMD [\"cat\", \"/built\", \"/tmp/user\"]\n")
    engine.docker("build", "--quiet", "--network", "none", "--tag", "built", engine.dir / "context", timeout=120)
    assert engine.docker("run", "--rm", "--runtime", "containr", "--network", "none", "built") == "built\n1000\n"
