"""`containr exec` and `containr inspect` for people: one more program inside, and what confines what is there."""

import os
import subprocess

import pytest

from containers import CAPABILITIES, IS_ROOT, caps_mask, need, open_terminal, read_terminal, status_field, wait_until
from test_run import FOURTEEN


def inspect(people, name):
    return people("inspect", name).json[0]


# ---- exec ---------------------------------------------------------------------------------------

def test_exec_is_as_confined_as_the_container(anyone):
    name = anyone.detached("sleep 60", "-v", f"{anyone.probe_program}:/run/probe:ro", "--cap-drop", "NET_RAW")
    seen = anyone("exec", name, "/run/probe").json
    assert int(status_field(seen, "CapBnd"), 16) == caps_mask(FOURTEEN) & ~caps_mask(["NET_RAW"])
    assert status_field(seen, "Seccomp") == "2" and seen["noNewPrivileges"] == 1
    assert seen["openFds"] == [0, 1, 2]
    script = "mkdir /usr/new || readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/mnt"
    inside = anyone("exec", name, "sh", "-c", script).stdout.split()
    pid = anyone.row(name)["Pid"]
    assert inside == [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("pid", "net", "mnt")]
    assert not set(inside) & {os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "net", "mnt")}


def test_exec_statuses(anyone):
    name = anyone.detached("sleep 60")
    anyone("exec", name, "sh", "-c", "exit 7", status=7)
    anyone("exec", name, "sh", "-c", "kill -9 $$", status=137)
    anyone("exec", name, "no-such-program", status=127)
    anyone("exec", name, "/etc/passwd", status=126)
    assert "requires a command" in anyone("exec", name, status=125).stderr
    assert "does not exist" in anyone("exec", "nobody", "true", status=125).stderr
    anyone("kill", name)
    assert "stopped" in anyone("exec", name, "true", status=125).stderr
    assert "--cap-add" in anyone("exec", "--privileged", name, "true", status=125).stderr


def test_exec_environment_and_directory(anyone):
    name = anyone.detached("sleep 60", "-e", "KEPT=1", "-e", "CHANGED=1")
    (anyone.dir / "vars").write_text("# no\nFROM_FILE=3\n")
    text = anyone("exec", "-e", "CHANGED=2", "-e", "OURS", "-e", "NOT_SET", "--env-file", anyone.dir / "vars", "-w", "/tmp", name,
                  "sh", "-c", "echo $KEPT $CHANGED $OURS $FROM_FILE ${NOT_SET-none}; pwd; env | grep -c CHANGED", env={"OURS": "x"}).stdout
    assert text == "1 2 x 3 none\n/tmp\n1\n"
    names = {line.split("=")[0] for line in anyone("exec", name, "env", env={"SECRET": "x", "LD_PRELOAD": ""}).stdout.splitlines()}
    assert names == {"PATH", "HOME", "HOSTNAME", "E2E_TOKEN", "KEPT", "CHANGED"}
    assert "absolute" in anyone("exec", "-w", "tmp", name, "true", status=125).stderr


def test_what_is_kept_of_a_container_is_its_owners_alone(anyone):
    """Its environment and its output are secrets, perhaps."""
    name = anyone.detached("echo secret; sleep 60", "-e", "SECRET=x")
    wait_until(lambda: anyone.logs(name), what="its output is kept")
    where = anyone.root / name
    kept = [where, *where.rglob("*")]
    assert len(kept) > 3 and {"config.json", "state.json"} <= {path.name for path in kept}
    assert not [str(path) for path in kept if path.lstat().st_mode & 0o077 and not path.is_symlink()]


def test_exec_input_is_passed_on_when_asked_for(anyone):
    name = anyone.detached("sleep 60")
    for flags, said in (["-i"], "hello\n"), ([], ""):
        read, write = os.pipe()
        os.write(write, b"hello\n")
        os.close(write)
        assert anyone("exec", *flags, name, "cat", stdin=read).stdout == said
        os.close(read)


def test_exec_as_somebody_else(root):
    bundle = root.bundle()
    name = root.detached("sleep 60", "--rootfs", bundle.rootfs, "--group-add", "4321")
    script = "id -u; id -g; id -G; echo $HOME"
    assert root("exec", "-u", "alice", name, "sh", "-c", script).stdout.split() == ["1000", "1000", "1000", "100", "/home/alice"]
    assert root("exec", "-u", "7:users", name, "sh", "-c", "id -u; id -G").stdout.split() == ["7", "100"]
    assert root("exec", name, "sh", "-c", "id -u; id -G").stdout.split() == ["0", "0", "4321"]
    assert "no such name" in root("exec", "-u", "mallory", name, "true", status=125).stderr


@pytest.mark.parametrize("trap", ["fifo", "link"])
def test_exec_is_not_led_outside_by_a_passwd(root, trap):
    bundle = root.bundle()
    outside = root.dir / "outside"
    outside.write_text("mallory:x:0:0::/:/bin/sh\n")
    make = {"fifo": "mknod /etc/passwd p", "link": f"ln -s /../../../../../..{outside} /etc/passwd"}[trap]
    if trap == "link":
        (bundle.rootfs / "bin/ln").symlink_to("busybox")
    name = root.detached(f"rm /etc/passwd && {make} && echo made; sleep 60", "--rootfs", bundle.rootfs)
    wait_until(lambda: root.logs(name) == "made\n", 10, "the trap is set")
    assert "no such name" in root("exec", "-u", "mallory", name, "true", status=125, timeout=10).stderr


def test_exec_capabilities(anyone):
    name = anyone.detached("sleep 60", "--cap-drop", "ALL")
    text = anyone("exec", "--cap-add", "net_raw", name, "grep", "CapEff", "/proc/self/status").stdout
    assert int(text.split()[1], 16) == caps_mask(["NET_RAW"])
    assert "NONSENSE" in anyone("exec", "--cap-add", "nonsense", name, "true", status=125).stderr


def test_exec_detached(anyone):
    name = anyone.detached("while ! test -e /tmp/made; do sleep 0.05; done; exit 4")
    result = anyone("exec", "-d", name, "sh", "-c", "echo not kept; touch /tmp/made; sleep 60")
    assert result.stdout == "" and anyone("wait", name).stdout == "4\n"
    assert anyone.logs(name) == ""
    other = anyone.detached("sleep 60")
    assert "no-such" in anyone("exec", "-d", other, "no-such", status=127).stderr
    assert "not supported" in anyone("exec", "-d", "-t", other, "true", status=125).stderr


def test_exec_terminal(anyone):
    name = anyone.detached("sleep 60")
    master, slave = open_terminal()
    process = anyone.popen("exec", "-i", "-t", name, "sh", "-c", "tty; echo TERM=$TERM; read x; echo got $x",
                           stdin=slave, stdout=slave, stderr=slave, env={"TERM": "vt100"})
    os.close(slave)
    os.write(master, b"word\n")
    text = read_terminal(master)
    os.close(master)
    assert process.wait(10) == 0
    assert "/dev/pts/0" in text and "TERM=vt100" in text and "got word" in text


# ---- inspect ------------------------------------------------------------------------------------

def test_inspect_tells_what_is_in_force(anyone):
    name = anyone.detached("sleep 60", "--cap-drop", "KILL", "--security-opt", "seccomp=docker-default", "-l", "a=b", "-e", "K=V")
    seen = inspect(anyone, name)
    force = seen["InForce"]
    kept = {f"CAP_{cap}" for cap in FOURTEEN if cap != "KILL"}
    assert set(force["Capabilities"]["Bounding"]) == set(force["Capabilities"]["Effective"]) == kept
    assert force["Capabilities"]["Ambient"] == []
    assert force["NoNewPrivileges"] is True and force["Seccomp"]["Mode"] == "filter"
    assert force["Seccomp"]["Profile"] == "docker-default"
    for kind, row in force["Namespaces"].items():
        file = {"mount": "mnt", "network": "net"}.get(kind, kind)
        assert row["Host"] == (os.readlink(f"/proc/{seen['State']['Pid']}/ns/{file}") == os.readlink(f"/proc/self/ns/{file}"))
    assert force["Namespaces"]["pid"]["Host"] is False
    assert seen["Config"]["Labels"] == {"a": "b"} and "K=V" in seen["Config"]["Env"]
    assert [seen["Path"], *seen["Args"]] == ["sh", "-c", "sleep 60"]
    assert seen["State"]["Status"] == "running" and seen["State"]["ExitCode"] == 0


def test_inspect_reads_the_kernel_and_not_the_wish(root):
    """Of a container made by an engine, no annotation of ours tells anything."""
    open_one = root.detached("sleep 60", "--privileged", "--network", "host")
    force = inspect(root, open_one)["InForce"]
    assert force["Seccomp"]["Mode"] == "disabled" and force["NoNewPrivileges"] is False
    assert force["Landlock"]["Restricted"] is False and force["Namespaces"]["network"]["Host"] is True
    if IS_ROOT:
        mask = caps_mask(cap.removeprefix("CAP_") for cap in force["Capabilities"]["Effective"])
        assert mask == caps_mask(CAPABILITIES) & mask and "CAP_SYS_ADMIN" in force["Capabilities"]["Effective"]


@pytest.mark.controllers
def test_inspect_reads_limits_back(root):
    name = root.detached("sleep 60", "-m", "64m", "--pids-limit", "33", "--cpus", "0.5")
    limits = inspect(root, name)["Limits"]
    assert limits["Memory"] == 64 << 20 and limits["Pids"] == 33
    assert limits["CpuQuota"] in (50000, "50000 100000")


def test_inspect_knows_ends(anyone):
    name = anyone.detached("exit 3")
    anyone("wait", name)
    seen = inspect(anyone, name)
    assert seen["State"]["ExitCode"] == 3 and seen["State"]["Status"] == "exited" and seen["State"]["Pid"] == 0
    assert seen["InForce"] is None and seen["State"]["Reason"] == "" and seen["State"]["FinishedAt"] > seen["Created"]
    killed = anyone.detached("sleep 60")
    anyone("kill", killed)
    assert inspect(anyone, killed)["State"]["Reason"] == "killed by signal 9, SIGKILL"
    result = anyone("inspect", "nobody", killed, status=125)
    assert "does not exist" in result.stderr and result.json[0]["Id"] == killed


@pytest.mark.controllers
def test_inspect_knows_why(root):
    hog = root.detached("python3 -c 'x = bytearray(200 << 20)'", "-m", "20m", "--memory-swap", "20m")
    root("wait", hog)
    state = inspect(root, hog)["State"]
    assert state["OOMKilled"] is True and "out of memory" in state["Reason"]
    many = root.detached("for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; exit 0", "--pids-limit", "4")
    root("wait", many)
    state = inspect(root, many)["State"]
    assert state["PidsLimitReached"] > 0 and "limit of 4 processes" in state["Reason"] and state["OOMKilled"] is False


def test_inspect_cannot_be_made_to_lie_by_annotations(anyone):
    name = anyone.detached("sleep 60", "--annotation", 'run.containr.stop-timeout=1,"Forged":true')
    seen = inspect(anyone, name)
    assert "Forged" not in seen["Config"] and seen["Config"]["StopTimeout"] == 10
    need(seen["Id"] == name, "the name")


# ---- the standard streams by their names ------------------------------------------------------------------

SAY = "echo out >/dev/stdout && echo err >/dev/stderr"


def piped(people, *args):
    """What comes out of two pipes that are the caller's."""
    said = []
    pipes = [os.pipe(), os.pipe()]
    for _reader, writer in pipes:
        os.fchown(writer, people.uid(), people.gid())
    subprocess.run(people.argv(*args), stdin=subprocess.DEVNULL, stdout=pipes[0][1], stderr=pipes[1][1], check=False,
                   env=people.environment())
    for reader, writer in pipes:
        os.close(writer)
        with open(reader, encoding="utf-8") as lines:
            said.append(lines.read().splitlines()[-1])
    return said


@pytest.mark.parametrize("flags", [("--user", "1000"), ("--userns", "auto"), ("--userns", "auto", "--user", "1000:5")],
                         ids=" ".join)
def test_pipes_can_be_opened_by_their_names(root, flags):
    """Images log to /dev/stdout as an ordinary user: the pipe that only its owner can open becomes that user's."""
    assert piped(root, *root.words(flags, ["sh", "-c", SAY])) == ["out", "err"]
    name = root.detached(f"{SAY}; sleep 100", *flags)
    wait_until(lambda: "out" in root.logs(name))
    assert piped(root, "exec", "--user", "77", name, "sh", "-c", SAY) == ["out", "err"]


def test_pipes_can_be_opened_by_their_names_for_users(ranged):
    assert piped(ranged, *ranged.words(["--user", "1000"], ["sh", "-c", SAY])) == ["out", "err"]


def test_files_and_named_pipes_stay_whose_they_are(root):
    """CVE-2026-88265: a file of the host does not become the container's because it is a stream."""
    log, fifo = root.dir / "log", root.dir / "fifo"
    os.mkfifo(fifo)
    with open(log, "w", encoding="ascii") as out, open(os.open(fifo, os.O_RDWR), "w", encoding="ascii") as err:
        run = subprocess.run(root.argv(*root.words(["--user", "1000"], ["id", "-u"])),
                             stdin=subprocess.DEVNULL, stdout=out, stderr=err, check=False)
    assert run.returncode == 0 and log.read_text() == "1000\n"
    assert log.stat().st_uid == 0 and fifo.stat().st_uid == 0 and os.stat("/dev/null").st_uid == 0
