"""The life of a container for people: run --detach, ps, logs, stop, kill, rm, pause, wait; what is left of it."""

import contextlib
import os
import re
import signal
import socket
import time

import pytest

from containers import need, wait_until

MIB = 1 << 20


def watcher(people, name):
    """The pid of the process that watches a container."""
    return int((people.root / name / "watcher").read_text().split()[0])


def directory_size(path):
    return sum(entry.stat().st_size for entry in path.iterdir() if entry.is_file())


# ---- output -------------------------------------------------------------------------------------

def test_output_is_kept_with_its_stream_and_time(anyone):
    before = time.time()
    name = anyone.detached("echo out; echo err >&2; printf 'no end'")
    assert anyone("wait", name).stdout == "0\n"
    result = anyone("logs", name)
    assert result.stdout == "out\nno end" and result.stderr == "err\n"
    stamps = re.findall(r"^(\S+)Z (?:out|err|no end)", anyone.logs(name, "-t"), re.M)
    assert len(stamps) == 2 and stamps == sorted(stamps)
    assert abs(time.mktime(time.strptime(stamps[0][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - before) < 30


def test_bytes_are_neither_changed_nor_interpreted(anyone):
    name = anyone.detached(r"printf '\033[2J\000\377\r\n2026-01-01T00:00:00Z stderr F forged\n'")
    anyone("wait", name)
    result = anyone("logs", name, text=False)
    assert result.stdout == b"\033[2J\0\xff\r\n2026-01-01T00:00:00Z stderr F forged\n" and result.stderr == b""


def test_long_lines_are_whole_again(anyone):
    name = anyone.detached("head -c 100000 /dev/zero | tr '\\000' x; echo; echo next")
    anyone("wait", name)
    assert anyone.logs(name) == "x" * 100000 + "\nnext\n"
    assert anyone.logs(name, "--tail", "1") == "next\n"
    assert anyone.logs(name, "-n", "2", "-t").count("Z ") == 2


def test_follow_shows_all_and_ends_with_the_container(anyone):
    # First it waits: who begins to follow when the oldest lines are gone does not get them.
    name = anyone.detached("sleep 1; i=0; while [ $i -lt 6000 ]; do echo line $i; i=$((i+1)); done; sleep 0.3; "
                           "echo end; exit 3", "--log-opt", "max-size=64k", "--log-opt", "max-file=5")
    text = anyone.logs(name, "-f", timeout=20)
    assert text == "".join(f"line {i}\n" for i in range(6000)) + "end\n"
    # The oldest are gone, what is left is in order.
    kept = anyone.logs(name).splitlines()
    assert kept[-1] == "end" and kept[:-1] == [f"line {i}" for i in range(6000 - len(kept) + 1, 6000)]


def test_tail_and_times(anyone):
    name = anyone.detached("for i in 1 2 3 4 5; do echo $i; done; sleep 1.2; echo 6")
    anyone("wait", name)
    assert anyone.logs(name, "--tail", "3") == "4\n5\n6\n"
    assert anyone.logs(name, "--tail", "0") == ""
    assert anyone.logs(name, "--tail", "all").count("\n") == 6
    last = anyone.logs(name, "-t", "-n", "1").split()[0]
    assert anyone.logs(name, "--since", last) == "6\n"
    assert anyone.logs(name, "--until", last) == "1\n2\n3\n4\n5\n"
    assert anyone.logs(name, "--since", "1h") == "1\n2\n3\n4\n5\n6\n"
    assert anyone.logs(name, "--until", "1h") == ""
    for flags, word in (["--since", "yesterday"], "yesterday"), (["--tail", "x"], "x"):
        assert word in anyone("logs", *flags, name, status=125).stderr


@pytest.mark.parametrize("flags, most", [([], 16 * MIB), (["--log-opt", "max-size=1m", "--log-opt", "max-file=1"], MIB)])
def test_a_container_cannot_fill_the_disk(anyone, flags, most):
    name = anyone.detached("head -c 40000000 /dev/urandom; exit 5", *flags)
    most_seen = 0
    while anyone.row(name)["State"] == "running":
        most_seen = max(most_seen, directory_size(anyone.root / name))
    assert anyone("wait", name).stdout == "5\n"
    size = max(most_seen, directory_size(anyone.root / name))
    assert most // 4 < size <= most + MIB // 8


def test_nothing_is_kept_where_nothing_is_wanted(anyone):
    name = anyone.detached("head -c 1000000 /dev/zero; echo; sleep 60", "--log-driver", "none")
    assert not list((anyone.root / name).glob("ctr.log*"))
    assert "has no log" in anyone("logs", name, status=125).stderr
    assert anyone.row(name)["State"] == "running"


def test_what_the_log_options_can_be(anyone):
    for flags, words in ((["--log-driver", "journald"], "expected k8s-file or none"),
                         (["--log-opt", "max-size=1k"], "64k"), (["--log-opt", "max-size=many"], "max-size many"),
                         (["--log-opt", "max-file=0"], "max-file 0"), (["--log-opt", "path=/etc/passwd"], "path=/etc/passwd"),
                         (["--stop-signal", "NOPE"], "NOPE"), (["--stop-timeout", "soon"], "soon")):
        assert words in anyone.detached("true", *flags, status=125).stderr
    assert "without --detach" in anyone.do("--log-driver", "k8s-file", status=125).stderr


# ---- ends ---------------------------------------------------------------------------------------

def test_end_is_known(anyone):
    name = anyone.detached("exit 7")
    assert anyone("wait", name).stdout == "7\n"
    row = anyone.row(name)
    assert row["State"] == "exited" and row["ExitCode"] == 7 and row["Status"].startswith("Exited (7) ")
    assert row["Status"].endswith(" ago") and row["Pid"] == 0
    killed = anyone.detached("sleep 60")
    anyone("kill", killed)
    assert anyone("wait", name, killed).stdout == "7\n137\n"


def test_ps_shows_what_runs(anyone):
    runs = anyone.detached("sleep 60", "-l", "tier=web")
    ended = anyone.detached("true")
    anyone("wait", ended)
    assert anyone("ps", "-q").stdout == f"{runs}\n"
    assert set(anyone("ps", "-aq").stdout.split()) == {runs, ended}
    lines = anyone("ps", "-a").stdout.splitlines()
    assert lines[0].split() == ["NAME", "COMMAND", "CREATED", "STATUS"]
    assert re.fullmatch(rf"{runs} +sh -c sleep 60 +\S.* ago +Up \S.*", lines[2])
    assert anyone("ps", "-aq", "--filter", "status=exited").stdout == f"{ended}\n"
    assert anyone("ps", "-aq", "-f", "label=tier=web", "-f", f"name={runs[-4:]}").stdout == f"{runs}\n"
    assert anyone("ps", "-aq", "-f", "label=tier=db").stdout == ""
    assert "colour=red" in anyone("ps", "-f", "colour=red", status=125).stderr
    row = anyone.row(runs)
    assert row["Command"] == ["sh", "-c", "sleep 60"] and row["Labels"] == {"tier": "web"}


def test_ps_gives_no_control_characters_to_a_terminal(anyone):
    name = anyone.detached("sleep 60 # \033[31m\n")
    text = anyone("ps", "--no-trunc").stdout
    assert "\033" not in text and len(text.splitlines()) == 2
    assert anyone.row(name)["Command"][2].endswith("\033[31m\n")


def test_removed_at_its_end(anyone):
    name = anyone.detached("sleep 0.4; exit 6", "--rm")
    assert anyone("wait", name).stdout == "6\n"
    wait_until(lambda: not (anyone.root / name).exists(), 5, "it is removed")
    wait_until(lambda: not anyone.leftovers(), 5, "nothing is left")


def test_stop_asks_first(anyone):
    asked = anyone.detached("trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.05; done")
    wait_until(lambda: anyone.logs(asked), 10, "it is ready")
    deaf = anyone.detached("trap '' TERM; while :; do sleep 0.05; done")
    start = time.monotonic()
    assert anyone("stop", "-t", "1", asked, deaf).stdout == f"{asked}\n{deaf}\n"
    assert 0.9 < time.monotonic() - start < 8
    assert anyone("wait", asked, deaf).stdout == "4\n137\n"
    assert anyone.logs(asked) == "ready\nbye\n"
    # What has ended is stopped already.
    assert anyone("stop", asked).stdout == f"{asked}\n"
    assert "does not exist" in anyone("stop", "nobody", status=125).stderr
    assert anyone("stop", "--ignore", "nobody").stdout == ""


def test_how_it_is_stopped_can_be_said_at_its_start(anyone):
    name = anyone.detached("trap 'exit 5' USR1; trap '' TERM; echo ready; while :; do sleep 0.05; done",
                           "--stop-signal", "SIGUSR1", "--stop-timeout", "20")
    wait_until(lambda: anyone.logs(name), 10, "it is ready")
    anyone("stop", name)
    assert anyone("wait", name).stdout == "5\n"


def test_kill(anyone):
    name = anyone.detached("trap 'echo hup' HUP; echo ready; while :; do sleep 0.05; done")
    wait_until(lambda: anyone.logs(name), 10, "it is ready")
    assert anyone("kill", "-s", "HUP", name).stdout == f"{name}\n"
    wait_until(lambda: "hup" in anyone.logs(name), 10, "it heard of it")
    assert "NOPE" in anyone("kill", "-s", "NOPE", name, status=125).stderr
    anyone("kill", name)
    assert anyone.row(name)["ExitCode"] == 137
    assert "not running" in anyone("kill", name, status=125).stderr


def test_rm(anyone):
    runs, ended = anyone.detached("sleep 60"), anyone.detached("true")
    anyone("wait", ended)
    assert "not stopped" in anyone("rm", runs, status=2).stderr
    assert "does not exist" in anyone("rm", "nobody", status=1).stderr
    assert anyone("rm", "-f", "nobody").status == 0
    result = anyone("rm", ended, "nobody", status=1)
    assert result.stdout == f"{ended}\n" and not (anyone.root / ended).exists()
    assert anyone("rm", "--force", runs).stdout == f"{runs}\n"
    # At once: neither the container nor who watched it.
    assert anyone.leftovers() == []


def links_of(pid):
    """What a process has open, but for what it closes meanwhile."""
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return links


def test_who_waits_hears_the_status_although_it_is_removed(anyone):
    name = anyone.detached("sleep 60")
    waits = anyone.popen("wait", name)
    if anyone.user is None:
        wait_until(lambda: any("exit" in link for link in links_of(waits.pid)), 10, "it waits")
    else:
        time.sleep(0.5)
    anyone("rm", "-f", name)
    assert waits.stdout.read() == b"137\n" and waits.wait(10) == 0


@pytest.mark.controllers
def test_pause(root):
    name = root.detached("while :; do echo x; sleep 0.02; done")
    assert root("pause", name).stdout == f"{name}\n"
    assert root.row(name)["State"] == "paused" and "(Paused)" in root.row(name)["Status"]
    time.sleep(0.1)
    size = len(root.logs(name))
    time.sleep(0.2)
    assert len(root.logs(name)) == size
    assert root("unpause", name).stdout == f"{name}\n"
    wait_until(lambda: len(root.logs(name)) > size, 10, "it goes on")
    root("pause", name)
    root("stop", "-t", "0", name)
    assert root.row(name)["State"] == "exited"


# ---- who watches --------------------------------------------------------------------------------

def test_killing_who_watches_loses_no_container(anyone):
    name = anyone.detached("echo before; sleep 60")
    wait_until(lambda: anyone.logs(name), 10, "it said something")
    os.kill(watcher(anyone, name), signal.SIGKILL)
    time.sleep(0.2)
    assert anyone.row(name)["State"] == "running" and anyone.logs(name, "-f") == "before\n"
    anyone("stop", "-t", "0", name)
    row = anyone.row(name)
    assert row["Status"] == "Exited (unknown)" and row["ExitCode"] is None
    assert "not known" in anyone("wait", name, status=125).stderr
    anyone("rm", name)
    assert anyone.leftovers() == []
    other = anyone.detached("sleep 60", "--rm")
    os.kill(watcher(anyone, other), signal.SIGKILL)
    anyone("rm", "-f", other)
    assert anyone.leftovers() == []


def test_who_watches_can_hang_and_still_be_removed(anyone):
    name = anyone.detached("sleep 60")
    os.kill(watcher(anyone, name), signal.SIGSTOP)
    anyone("rm", "-f", name)
    assert anyone.leftovers() == []


def test_who_watches_is_small_and_holds_nothing(root):
    name = root.detached("sleep 60")
    pid = watcher(root, name)
    status = open(f"/proc/{pid}/status", encoding="ascii").read()
    if "asan" not in open(f"/proc/{pid}/maps", encoding="utf-8").read():
        assert int(re.search(r"RssAnon:\s+(\d+)", status)[1]) < 1024
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    assert all(re.match(r"/dev/null$|pipe:|socket:|anon_inode:\[(pidfd|signalfd)\]|/.*/state/", link) for link in links), links
    assert os.getsid(pid) == pid


def test_nobody_waits_for_a_container_that_could_not_start(anyone):
    for command, status in (["no-such-program"], 127), (["/etc/passwd"], 126):
        result = anyone.do("-d", command=command, status=status)
        assert result.stdout == "" and command[0] in result.stderr
    assert anyone.leftovers() == []


def test_signals_to_who_watches_go_to_the_container(anyone):
    name = anyone.detached("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    wait_until(lambda: anyone.logs(name), 10, "it is ready")
    os.kill(watcher(anyone, name), signal.SIGTERM)
    assert anyone("wait", name).stdout == "9\n"


def test_children_without_a_pid_namespace_end_with_the_container(root):
    name = root.detached("sleep 1000 & echo started; exit 2", "--pid=host")
    assert root("wait", name).stdout == "2\n"
    wait_until(lambda: not [left for left in root.leftovers() if left.startswith("process")], 5, "no process is left")


# ---- terminals and input ------------------------------------------------------------------------

def test_terminal(anyone):
    name = anyone.detached("tty; test -t 0 && echo terminal; sleep 60", "-t", "-i")
    wait_until(lambda: "terminal" in anyone.logs(name), 10, "it has said so")
    assert anyone.logs(name) == "/dev/pts/0\r\nterminal\r\n"
    # A shell at a terminal where nobody types waits.
    shell = anyone("run", "-d", "-t", "--name", f"{anyone.token}.sh", "-e", f"E2E_TOKEN={anyone.token}", "sh").stdout.strip()
    time.sleep(0.3)
    assert anyone.row(shell)["State"] == "running"


def test_input(anyone):
    waits, ends = anyone.detached("cat; echo over", "-i"), anyone.detached("cat; echo over")
    assert anyone("wait", ends).stdout == "0\n" and anyone.logs(ends) == "over\n"
    time.sleep(0.2)
    assert anyone.row(waits)["State"] == "running" and anyone.logs(waits) == ""


# ---- others -------------------------------------------------------------------------------------

def test_readiness_is_passed_on_by_the_command(anyone):
    address = f"{anyone.dir}/notify"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    manager.settimeout(15)
    manager.bind(address)
    os.chmod(address, 0o777)
    name = f"{anyone.token}.ready"
    script = "import os,socket,time; time.sleep(0.3); s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); " \
             "s.connect(os.environ['NOTIFY_SOCKET']); s.send(b'READY=1'); time.sleep(60)"
    command = anyone.popen(*anyone.words(["-d", "--name", name], ["python3", "-c", script]), env={"NOTIFY_SOCKET": address})
    text, control, _flags, _from = manager.recvmsg(4096, 4096)
    sender = int.from_bytes(control[0][2][:4], "little")
    lines = text.decode().splitlines()
    # Its pid is that of the service; what is to be watched is the process that knows the exit status.
    assert lines == [f"MAINPID={watcher(anyone, name)}", "READY=1"]
    assert sender == command.pid and command.poll() is None
    manager.close()
    anyone("rm", "-f", name)


def test_replace(anyone):
    name = anyone.detached("sleep 60", "--name", f"{anyone.token}.one")
    assert name in anyone.detached("true", "--name", name, status=125).stderr
    assert anyone.detached("echo new", "--name", name, "--replace") == name
    anyone("wait", name)
    assert anyone.logs(name) == "new\n"


def test_the_foreground_is_seen_from_elsewhere(anyone):
    name = f"{anyone.token}.front"
    process = anyone.popen(*anyone.words(["--name", name], ["sh", "-c", "echo ready; sleep 0.5; exit 8"]))
    assert process.stdout.readline() == b"ready\n"
    assert anyone.row(name)["State"] == "running"
    assert anyone("wait", name).stdout == "8\n"
    assert process.wait(10) == 8
    other = anyone.popen(*anyone.words(["--name", name], ["sh", "-c", "echo ready; sleep 60"]))
    assert other.stdout.readline() == b"ready\n"
    anyone("rm", "-f", name)
    assert other.wait(10) in (137, 125)
    wait_until(lambda: not anyone.leftovers(), 5, "nothing is left")


def test_a_kept_container_tells_its_end(anyone):
    name = f"{anyone.token}.kept"
    anyone.do("--keep", "--name", name, command=["sh", "-c", "exit 3"], status=3)
    assert anyone.row(name)["ExitCode"] == 3 and anyone("wait", name).stdout == "3\n"


def test_engines_and_people_see_the_same(root, program):
    name = root.detached("sleep 60")
    need(os.path.exists(program), "no runtime")
    root.program, containr = program, root.program
    assert root.state(name)["status"] == "running"
    root("delete", "--force", name)
    root.program = containr
    assert root.leftovers() == []
