"""The commands of runc's command line, from `create` to `delete`, as engines use them."""

import concurrent.futures
import json
import os
import random
import re
import select
import signal
import socket
import threading
import subprocess
import time

import pytest

from containers import (DEFAULT_CAPS, IS_ROOT, Receiver, caps_mask, describe,
                        need, open_terminal, processes_with, read_terminal, wait_until)
from test_run import FOURTEEN, HIDDEN, READ_ONLY


def loop(rt, **change):
    """A container that waits for SIGTERM."""
    return rt.bundle(change or None, args=["/bin/probe", "--wait"])


# ---- the way through --------------------------------------------------------------------------

def test_create_waits_for_start(any_rt):
    bundle = any_rt.bundle(args=["/bin/touch", "/tmp/it-ran"])
    id = any_rt.create(bundle)
    time.sleep(0.05)
    assert not (bundle.rootfs / "tmp/it-ran").exists()
    assert any_rt.state(id)["status"] == "created"
    any_rt("start", id)
    any_rt.wait_status(id, "stopped")
    assert (bundle.rootfs / "tmp/it-ran").exists()
    any_rt("delete", id)


def test_state_is_that_of_the_specification(any_rt):
    bundle = any_rt.bundle({"annotations": {"org.example.key": "värde"}},
                           args=["/bin/probe", "--wait"])
    id = any_rt.create(bundle)
    state = any_rt.state(id)
    assert state["id"] == id
    assert re.fullmatch(r"1\.\d+\.\d+(-.*)?", state["ociVersion"])
    assert state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"org.example.key": "värde"}
    assert state["pid"] > 1 and os.path.exists(f"/proc/{state['pid']}")
    any_rt("delete", "--force", id)


def test_stopped_container_has_no_pid(any_rt):
    id = any_rt.started(any_rt.bundle(args=["/bin/true"]))
    any_rt.wait_status(id, "stopped")
    assert any_rt.state(id).get("pid", 0) == 0


def test_pid_file_has_the_pid_and_no_more(any_rt):
    path = any_rt.dir / "pid"
    id = any_rt.create(loop(any_rt), "--pid-file", path)
    assert path.read_text() == str(any_rt.state(id)["pid"])


def test_relative_bundle_and_current_directory(any_rt):
    bundle = any_rt.bundle(args=["/bin/echo", "here"])
    assert any_rt("run", any_rt.new_id(), cwd=bundle.path).stdout == "here\n"
    assert any_rt("run", "-b", bundle.path.name, any_rt.new_id(),
                  cwd=bundle.path.parent).stdout == "here\n"


def test_exit_status_of_run(any_rt):
    assert any_rt.run(any_rt.bundle(args=["/bin/probe", "--exit", "42"]), status=42).stdout == ""


def test_run_of_a_process_that_a_signal_ends_says_128_and_the_signal(any_rt):
    bundle = loop(any_rt)
    id = any_rt.new_id()
    process = any_rt.popen("run", "--bundle", bundle.path, id)
    process.stdout.readline()
    any_rt("kill", id, "KILL")
    assert process.wait(10) == 137


def test_run_deletes_the_container(any_rt):
    id = any_rt.new_id()
    any_rt.run(any_rt.bundle(args=["/bin/true"]), id=id)
    assert not (any_rt.root / id).exists()


def test_run_keep(any_rt, only_ours):
    id = any_rt.new_id()
    any_rt.run(any_rt.bundle(args=["/bin/true"]), "--keep", id=id)
    assert any_rt.state(id)["status"] == "stopped"
    any_rt("delete", id)


def test_run_detach(any_rt):
    id = any_rt.new_id()
    any_rt.run(loop(any_rt), "--detach", id=id)
    assert any_rt.state(id)["status"] == "running"
    any_rt("kill", id, "SIGTERM")
    any_rt.wait_status(id, "stopped")
    any_rt("delete", id)


def test_run_passes_signals_on(any_rt):
    process = any_rt.popen("run", "--bundle", loop(any_rt).path, any_rt.new_id())
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_standard_streams_are_the_callers(any_rt):
    process = any_rt.popen("run", "--bundle", any_rt.bundle(args=["/bin/cat"]).path,
                           any_rt.new_id(), stdin=subprocess.PIPE)
    out, _ = process.communicate(b"to and fro\n", timeout=10)
    assert out == b"to and fro\n"


# ---- kill, delete -----------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["TERM", "SIGTERM", "15", "term", "SIGterm"])
def test_kill_takes_names_and_numbers(rt, name, kind):
    if kind == "crun" and name.islower() or "term" in name and kind != "containr":
        pytest.skip("runc and crun differ here")
    id = rt.started(loop(rt))
    wait_until(lambda: "Cgt" in open(f"/proc/{rt.state(id)['pid']}/status").read())
    rt("kill", id, name)
    rt.wait_status(id, "stopped")


def test_kill_without_a_signal_is_term(rt):
    id = rt.started(loop(rt))
    rt("kill", id)
    rt.wait_status(id, "stopped")


@pytest.mark.parametrize("signal_name", ["SIGNOTHING", "65536", "-1", "9x", ""])
def test_kill_with_a_signal_that_is_none(rt, signal_name, only_ours):
    id = rt.started(loop(rt))
    assert rt("kill", id, signal_name, status=None).status not in (0, "timeout")
    assert rt.state(id)["status"] == "running"


def test_kill_of_a_stopped_container(any_rt):
    id = any_rt.started(any_rt.bundle(args=["/bin/true"]))
    any_rt.wait_status(id, "stopped")
    result = any_rt("kill", id, "TERM", status=1)
    assert re.search("process already finished|container not running|no such process",
                     result.stderr)


def test_kill_of_a_created_container(any_rt):
    id = any_rt.create()
    any_rt("kill", id, "KILL")
    any_rt.wait_status(id, "stopped")
    any_rt("delete", id)


def test_kill_all_reaches_every_process(rt):
    bundle = rt.bundle({"linux": {"namespaces": [{"type": "mount"}, {"type": "uts"},
                                                 {"type": "ipc"}, {"type": "network"}]}},
                       args=["/bin/sh", "-c", "sleep 1000 & sleep 1000 & exec sleep 1000"])
    id = rt.started(bundle)
    wait_until(lambda: len(rt("ps", "--format", "json", id).json) >= 3)
    rt("kill", "--all", id, "KILL")
    rt.wait_status(id, "stopped")
    wait_until(lambda: not processes_with(rt.token), what="all processes gone")


def test_delete_of_a_running_container_is_refused(any_rt):
    id = any_rt.started(loop(any_rt))
    result = any_rt("delete", id, status=1)
    assert "not stopped" in result.stderr or "running" in result.stderr
    assert any_rt.state(id)["status"] == "running"


@pytest.mark.parametrize("stage", ["created", "running", "stopped", "paused"])
def test_delete_force_at_every_stage(rt, stage):
    id = rt.create()
    if stage != "created":
        rt("start", id)
    if stage == "stopped":
        rt("kill", id, "KILL")
        rt.wait_status(id, "stopped")
    if stage == "paused":
        pause(rt, id)
    rt("delete", "--force", id)
    assert rt.leftovers() == []


def test_delete_force_takes_processes_without_a_pid_namespace_along(rt):
    bundle = rt.bundle({"linux": {"namespaces": [{"type": "mount"}, {"type": "uts"},
                                                 {"type": "ipc"}, {"type": "network"}]}},
                       args=["/bin/sh", "-c", "sleep 1000 & sleep 1000 & exec sleep 1000"])
    id = rt.started(bundle)
    wait_until(lambda: len(processes_with(rt.token)) >= 3)
    rt("delete", "--force", id)
    assert rt.leftovers() == []


def test_delete_force_of_nothing_is_no_error(any_rt):
    any_rt("delete", "--force", "not-there")


@pytest.mark.parametrize("command", [["state"], ["start"], ["kill"], ["delete"], ["ps"], ["pause"],
                                     ["resume"], ["exec"]])
def test_unknown_container(any_rt, command):
    more = {"kill": ["TERM"], "exec": ["/bin/true"]}.get(command[0], [])
    result = any_rt(*command, "not-there", *more, status=None)
    assert result.status in (1, 255)
    assert "does not exist" in result.stderr


# ---- what does not fit the state ----------------------------------------------------------------

def test_id_that_is_taken(any_rt):
    id = any_rt.create()
    result = any_rt("create", "--bundle", loop(any_rt).path, id, status=1)
    assert "exist" in result.stderr
    assert any_rt.state(id)["status"] == "created"


def test_start_twice(any_rt):
    id = any_rt.started()
    result = any_rt("start", id, status=1)
    assert result.stderr
    assert any_rt.state(id)["status"] == "running"


def test_start_of_a_stopped_container(any_rt):
    id = any_rt.create()
    any_rt("kill", id, "KILL")
    any_rt.wait_status(id, "stopped")
    assert any_rt("start", id, status=1).stderr


@pytest.mark.parametrize("id", ["", ".", "..", "a/b", "../x", "a b", "x" * 1025, "a\nb", "ä"])
def test_ids_that_are_none(any_rt, id, only_ours):
    result = any_rt("create", "--bundle", loop(any_rt).path, "--", id, status=None)
    assert result.status == 1 and result.stderr
    assert any_rt.states() == []


def test_no_bundle(any_rt):
    result = any_rt("create", "--bundle", "/does/not/exist", any_rt.new_id(), status=1)
    assert "no such file or directory" in result.stderr.lower()


def test_no_config(any_rt):
    bundle = loop(any_rt)
    (bundle.path / "config.json").unlink()
    result = any_rt("create", "--bundle", bundle.path, any_rt.new_id(), status=1)
    assert "config.json" in result.stderr


# ---- list, ps ---------------------------------------------------------------------------------

def test_list(any_rt):
    first, second = any_rt.create(), any_rt.started()
    rows = {row["id"]: row for row in any_rt("list", "--format", "json").json}
    assert rows[first]["status"] == "created" and rows[second]["status"] == "running"
    assert rows[first]["pid"] == any_rt.state(first)["pid"]
    assert {"id", "pid", "status", "bundle", "created"} <= set(rows[first])
    text = any_rt("list").stdout
    assert text.split("\n")[0].split()[:3] == ["ID", "PID", "STATUS"]
    assert first in text and second in text
    assert sorted(any_rt("list", "--quiet").stdout.split()) == sorted([first, second])


def test_list_of_nothing(any_rt):
    assert any_rt("list", "--format", "json").json in ([], None)
    assert any_rt("list", "-q").stdout == ""


def test_ps_knows_the_processes_of_the_container(rt):
    id = rt.started(rt.bundle(args=["/bin/sh", "-c", "sleep 1000 & exec sleep 1000"]))
    pids = wait_until(lambda: (p := rt("ps", "--format", "json", id).json) and len(p) == 2 and p)
    assert rt.state(id)["pid"] in pids
    assert str(rt.state(id)["pid"]) in rt("ps", id).stdout


# ---- pause ------------------------------------------------------------------------------------

def pause(rt, id):
    result = rt("pause", id, status=None)
    if result.status != 0:
        need("freeze" not in result.stderr.lower(), f"no freezer here: {result.stderr}")
    assert result.status == 0, result


def test_pause_and_resume(rt):
    bundle = rt.bundle(args=["/bin/sh", "-c", "while true; do echo x >>/tmp/n; sleep 0.01; done"])
    id = rt.started(bundle)
    file = bundle.rootfs / "tmp/n"
    wait_until(file.exists)
    pause(rt, id)
    assert rt.state(id)["status"] == "paused"
    size = file.stat().st_size
    time.sleep(0.1)
    assert file.stat().st_size == size
    rt("resume", id)
    assert rt.state(id)["status"] == "running"
    wait_until(lambda: file.stat().st_size > size)


def test_exec_into_a_paused_container_is_refused(rt):
    id = rt.started()
    pause(rt, id)
    result = rt("exec", id, "/bin/true", status=None)
    assert result.status in (1, 255) and "paused" in result.stderr
    rt("resume", id)


def test_pause_of_a_created_or_stopped_container_says_why_not(rt):
    id = rt.started(rt.bundle(args=["/bin/true"]))
    rt.wait_status(id, "stopped")
    assert rt("pause", id, status=1).stderr
    assert rt("resume", id, status=1).stderr


# ---- descriptors, sockets, terminals ------------------------------------------------------------

def test_no_descriptor_of_the_caller_gets_in(any_rt):
    with open("/etc/hostname", encoding="ascii") as secret:
        # Also the very first that there can be, and where a number is allowed, the one behind it.
        for passed in ([], ["--preserve-fds", 1]):
            many = [secret.fileno()] * (3 + len(passed))
            kept = [0, 1, 2, 3][:3 + len(passed) // 2]
            assert json.loads(any_rt.run(any_rt.bundle(), *passed, fds_from_3=many).stdout)["openFds"] == kept
            id = any_rt.started(fds_from_3=many)
            assert any_rt("exec", *passed, id, "/bin/probe", fds_from_3=many).json["openFds"] == kept


def test_preserve_fds(any_rt):
    read, write = os.pipe()
    any_rt.run(any_rt.bundle(args=["/bin/sh", "-c", "echo through >&3"]), "--preserve-fds", 1,
               fds_from_3=[write])
    assert os.read(read, 100) == b"through\n"
    os.close(read)
    os.close(write)


def test_preserve_fds_that_are_not_open(any_rt, only_ours):
    result = any_rt("run", "--preserve-fds", "2", "--bundle", any_rt.bundle().path, any_rt.new_id(),
                    status=1)
    assert "descriptor" in result.stderr


def test_listen_fds(any_rt):
    left, right = socket.socketpair()
    result = any_rt.run(any_rt.bundle(), fds_from_3=[right.fileno()], env={"LISTEN_FDS": "1"})
    left.close()
    right.close()
    seen = json.loads(result.stdout)
    assert seen["openFds"] == [0, 1, 2, 3]
    assert "LISTEN_FDS=1" in seen["env"]
    assert f"LISTEN_PID={seen['pid']}" in seen["env"]


def test_console_socket(any_rt):
    receiver = Receiver(any_rt.dir / "console", any_rt.user)
    try:
        bundle = any_rt.bundle({"process": {"terminal": True,
                                            "consoleSize": {"height": 25, "width": 93}}},
                               args=["/bin/probe", "/tmp/seen"])
        id = any_rt.create(bundle, "--console-socket", receiver.path)
        terminal = receiver.take()
        any_rt("start", id)
        read_terminal(terminal)
        seen = json.loads((bundle.rootfs / "tmp/seen").read_text())
    finally:
        receiver.close()
    assert seen["isatty"] == 1 and seen["controllingTerminal"] == 1
    assert seen["winsize"] == [25, 93]
    assert seen["ttyname"].startswith("/dev/pts/")
    assert seen["devices"]["console"]["mode"] & 0o170000 == 0o020000


def test_terminal_of_run(any_rt):
    ours, theirs = open_terminal()
    process = any_rt.popen(
        "run", "--bundle", any_rt.bundle({"process": {"terminal": True}},
                                         args=["/bin/sh", "-c", "tty; echo typed: $(head -n1)"]).path,
        any_rt.new_id(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"hello\n")
    text = read_terminal(ours)
    assert process.wait(10) == 0, text
    os.close(ours)
    assert "/dev/pts/" in text and "typed: hello" in text


def test_terminal_without_a_place_for_it(any_rt):
    bundle = any_rt.bundle({"process": {"terminal": True}})
    result = any_rt("create", "--bundle", bundle.path, any_rt.new_id(), status=1)
    assert "console" in result.stderr or "tty" in result.stderr


def test_console_socket_without_a_terminal(any_rt, only_ours):
    result = any_rt("create", "--bundle", loop(any_rt).path, "--console-socket",
                    any_rt.dir / "none", any_rt.new_id(), status=1)
    assert "console-socket" in result.stderr


def test_pidfd_socket(any_rt, only_ours):
    receiver = Receiver(any_rt.dir / "pidfd", any_rt.user)
    try:
        id = any_rt.create(loop(any_rt), "--pidfd-socket", receiver.path)
        fd = receiver.take()
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        assert select.select([fd], [], [], 10)[0], "the descriptor is not the process's"
        any_rt.wait_status(id, "stopped")
    finally:
        receiver.close()


def test_notify_socket(rt, only_ours):
    path = rt.dir / "notify"
    service = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    service.bind(str(path))
    service.settimeout(10)
    heard = []

    def listen():  # as a service manager does, until the runtime has ended
        while not heard or heard[-1] != b"end":
            heard.append(service.recv(4096))

    manager = threading.Thread(target=listen)
    manager.start()
    rt.run(rt.bundle(args=["/bin/probe", "--notify", "READY=1\nSTATUS=up\n"]),
           env={"NOTIFY_SOCKET": str(path)})
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"end", str(path))
    manager.join()
    assert b"READY=1" in heard[0]
    service.close()


# ---- exec -------------------------------------------------------------------------------------

def test_exec_runs_inside(any_rt):
    id = any_rt.started()
    seen = json.loads(any_rt("exec", id, "/bin/probe").stdout)
    init = json.loads(any_rt.run(any_rt.bundle()).stdout)
    assert seen["hostname"] == "e2e" and seen["openFds"] == [0, 1, 2]
    assert seen["pid"] > 1
    for field in ("caps", "noNewPrivileges", "uid", "gid", "umask"):
        assert seen[field] == init[field], field
    pid = any_rt.state(id)["pid"]
    for name, link in seen["namespaces"].items():
        if not name.endswith("_for_children"):
            assert os.readlink(f"/proc/{pid}/ns/{name}") == link


def test_exec_exit_status(any_rt):
    id = any_rt.started()
    any_rt("exec", id, "/bin/probe", "--exit", "7", status=7)
    any_rt("exec", id, "/bin/sh", "-c", "kill -KILL $$", status=137)


def test_exec_flags(rt, kind):
    id = rt.started()
    result = rt("exec", "--cwd", "/tmp", "--env", "NAME=value", "--user", "1000:100",
                "--additional-gids", "5", "--cap", "CAP_NET_RAW", id, "/bin/probe", status=0)
    seen = result.json
    assert seen["cwd"] == "/tmp"
    assert "NAME=value" in seen["env"]
    assert seen["uid"] == [1000] * 3 and seen["gid"] == [100] * 3
    assert seen["groups"] == [5]
    assert seen["caps"]["bounding"] & caps_mask(["CAP_NET_RAW"])
    assert seen["caps"]["bounding"] & caps_mask(DEFAULT_CAPS) == caps_mask(DEFAULT_CAPS)


def test_exec_process_file(any_rt):
    id = any_rt.started()
    process = {"args": ["/bin/probe"], "env": ["ONLY=this"], "cwd": "/usr",
               "user": {"uid": 0, "gid": 0, "umask": 0o077},
               "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"],
                                "permitted": ["CAP_KILL"]},
               "noNewPrivileges": True, "oomScoreAdj": 500}
    path = any_rt.dir / "process.json"
    path.write_text(json.dumps(process))
    seen = any_rt("exec", "--process", path, id).json
    assert [e for e in seen["env"] if not e.startswith("HOME=")] == ["ONLY=this"]
    assert seen["cwd"] == "/usr" and seen["umask"] == 0o077
    assert seen["caps"]["bounding"] == caps_mask(["CAP_KILL"])
    assert seen["caps"]["effective"] == caps_mask(["CAP_KILL"])
    assert seen["oomScoreAdj"] == 500


def test_exec_detach_and_pid_file(any_rt):
    id = any_rt.started()
    path = any_rt.dir / "exec-pid"
    any_rt("exec", "--detach", "--pid-file", path, "--env", f"E2E_TOKEN={any_rt.token}", id,
           "/bin/probe", "--wait")
    pid = int(path.read_text())
    assert b"--wait" in open(f"/proc/{pid}/cmdline", "rb").read()
    os.kill(pid, signal.SIGTERM)


def test_exec_terminal(any_rt):
    receiver = Receiver(any_rt.dir / "console", any_rt.user)
    id = any_rt.started()
    try:
        any_rt("exec", "--tty", "--detach", "--console-socket", receiver.path, id,
               "/bin/sh", "-c", "tty; stty size")
        text = read_terminal(receiver.take())
    finally:
        receiver.close()
    assert "/dev/pts/" in text


@pytest.mark.parametrize("args,phrase", [
    (["/bin/nothing"], "no such file or directory"),
    (["nothing"], "executable file not found in $PATH"),
    (["/etc/passwd"], "permission denied"),
    (["/etc"], "permission denied|is a directory"),
])
def test_exec_of_what_cannot_run(any_rt, args, phrase):
    id = any_rt.started()
    result = any_rt("exec", id, *args, status=None)
    assert result.status in (1, 126, 127, 255)
    assert re.search(phrase.replace("$", r"\$"), result.stderr, re.I), result


def test_exec_in_a_stopped_or_created_container(any_rt):
    id = any_rt.started(any_rt.bundle(args=["/bin/true"]))
    any_rt.wait_status(id, "stopped")
    result = any_rt("exec", id, "/bin/true", status=None)
    assert result.status in (1, 255)
    assert re.search("stopped|not running", result.stderr)


def test_exec_many_at_once(rt):
    id = rt.started()
    processes = [rt.popen("exec", id, "/bin/sh", "-c", f"echo {n}") for n in range(12)]
    for n, process in enumerate(processes):
        out, error = process.communicate(timeout=20)
        assert (out, process.returncode) == (f"{n}\n".encode(), 0), error


# ---- programs that cannot run -------------------------------------------------------------------

@pytest.mark.parametrize("name,phrase", [
    ("/bin/nothing", "no such file or directory"),
    ("nothing", r"executable file not found in \$PATH"),
    ("/etc/passwd", "permission denied"),
    ("/etc", "permission denied|is a directory"),
])
def test_create_says_what_is_wrong_with_the_program(any_rt, name, phrase):
    result = any_rt("create", "--bundle", any_rt.bundle(args=[name]).path, any_rt.new_id(),
                    status=1)
    assert re.search(phrase, result.stderr, re.I), result
    assert any_rt.states() == []


def test_missing_interpreter_is_named(any_rt, only_ours):
    bundle = any_rt.bundle(args=["/bin/script"])
    (bundle.rootfs / "bin/script").write_text("#!/opt/not-here\n")
    (bundle.rootfs / "bin/script").chmod(0o755)
    result = any_rt.run(bundle, status=1)
    assert "/opt/not-here" in result.stderr


def test_carriage_return_behind_the_interpreter_is_seen(any_rt, only_ours):
    bundle = any_rt.bundle(args=["/bin/script"])
    (bundle.rootfs / "bin/script").write_bytes(b"#!/bin/sh\r\necho hi\r\n")
    (bundle.rootfs / "bin/script").chmod(0o755)
    result = any_rt.run(bundle, status=1)
    assert "carriage return" in result.stderr or "CRLF" in result.stderr


# ---- global options -----------------------------------------------------------------------------

def test_version_in_the_form_that_engines_read(rt, program, only_ours):
    lines = subprocess.run([program, "--version"], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    assert re.fullmatch(r"\S+ version \d+\.\d+\.\d+\S*", lines[0])
    assert sum("version" in line for line in lines) == 1
    assert any(line.startswith("commit: ") for line in lines)
    assert any(re.fullmatch(r"spec: 1\.\d+\.\d+", line) for line in lines)


def test_log_file_in_json(any_rt):
    log = any_rt.dir / "log.json"
    result = any_rt("--log", log, "--log-format", "json", "state", "not-there", status=1)
    assert "does not exist" in result.stderr
    last = json.loads(log.read_text().splitlines()[-1])
    assert last["level"] == "error" and "does not exist" in last["msg"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", last["time"])


def test_log_file_in_text(any_rt):
    log = any_rt.dir / "log.txt"
    any_rt("--log", log, "state", "not-there", status=1)
    assert "level=error" in log.read_text() and "does not exist" in log.read_text()


@pytest.mark.parametrize("args", [["--no-such-flag"], ["no-such-command"], ["create"],
                                  ["create", "a", "b", "c"], ["kill"], ["state", "--what", "x"]])
def test_wrong_usage(any_rt, args, only_ours):
    result = any_rt(*args, status=None)
    assert result.status not in (0, "timeout") and result.stderr


def test_help(any_rt):
    assert "create" in any_rt("--help").stdout


def test_spec_runs_as_it_is_printed(any_rt, kind):
    bundle = any_rt.bundle(args=["/bin/true"])
    (bundle.path / "config.json").unlink()
    flags = ["--rootless"] if any_rt.user is not None or not IS_ROOT else []
    any_rt("spec", "--bundle", bundle.path, *flags, cwd=bundle.path)
    config = json.loads((bundle.path / "config.json").read_text())
    assert config["process"]["args"] == ["sh"]
    config["process"].update(terminal=False, args=["/bin/echo", "fine"])
    config["process"].pop("rlimits", None)
    (bundle.path / "config.json").write_text(json.dumps(config))
    assert any_rt.run(bundle).stdout == "fine\n"


def test_spec_is_as_confined_as_people_are_told(rt, only_ours):
    bundle = rt.bundle(args=["/bin/true"])
    (bundle.path / "config.json").unlink()
    rt("spec", "--bundle", bundle.path)
    config = json.loads((bundle.path / "config.json").read_text())
    sets = config["process"]["capabilities"]
    assert sets.keys() == {"bounding", "effective", "permitted"}
    assert all(sorted(names) == sorted(f"CAP_{name}" for name in FOURTEEN) for names in sets.values())
    assert config["process"]["noNewPrivileges"] and config["root"]["readonly"]
    assert set(config["linux"]["readonlyPaths"]) == set(READ_ONLY)
    assert {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"} <= set(config["linux"]["maskedPaths"]) <= set(HIDDEN)


def test_features(any_rt, kind):
    if kind == "crun":
        pytest.skip("crun has it since 1.9")
    features = any_rt("features").json
    assert "mount" in features["linux"]["namespaces"]
    assert "CAP_SYS_ADMIN" in features["linux"]["capabilities"]
    assert "SCMP_ACT_ALLOW" in features["linux"]["seccomp"]["actions"]
    assert "rbind" in features["mountOptions"]


def test_plan_needs_nothing_and_does_nothing(any_rt, only_ours):
    bundle = any_rt.bundle()
    text = any_rt("plan", "--bundle", bundle.path).stdout
    assert text == any_rt("plan", "--bundle", bundle.path).stdout
    assert "seccomp" in text or "capabilities" in text
    assert any_rt("plan", "--bundle", bundle.path, "--format", "json").json
    assert any_rt.leftovers() == []


# ---- two at once --------------------------------------------------------------------------------

def test_create_of_one_id_many_times_at_once(any_rt):
    """Exactly one gets the id; the others say so."""
    id = any_rt.new_id()
    bundles = [loop(any_rt) for _ in range(6)]
    processes = [any_rt.popen("create", "--bundle", b.path, id, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) for b in bundles]
    assert sorted(p.wait(20) for p in processes) == [0] + [1] * 5
    assert any_rt.state(id)["status"] == "created"


def test_start_of_one_container_many_times_at_once(any_rt):
    bundle = any_rt.bundle(args=["/bin/sh", "-c", "echo ran >>/tmp/n; exec sleep 1000"])
    id = any_rt.create(bundle)
    processes = [any_rt.popen("start", id, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for _ in range(5)]
    codes = [p.wait(20) for p in processes]
    assert codes.count(0) == 1, codes
    wait_until((bundle.rootfs / "tmp/n").exists)
    assert (bundle.rootfs / "tmp/n").read_text() == "ran\n"


def test_delete_while_others_look(any_rt):
    id = any_rt.started()
    processes = [any_rt.popen(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for words in (["delete", "--force", id], ["state", id], ["list"],
                               ["delete", "--force", id], ["kill", id, "KILL"])]
    assert all(p.wait(20) in (0, 1) for p in processes)
    any_rt("state", id, status=1)


@pytest.mark.parametrize("seed", range(3))
def test_six_who_do_what_they_like_with_one_container(rt, only_ours, seed):
    """Whatever comes first: every command ends, says why it could not, and in the end nothing is left."""
    bundle = loop(rt, linux={"cgroupsPath": f"/{rt.token}-top/leaf"})
    id = rt.new_id()
    commands = [["create", "--bundle", bundle.path], ["start"], ["kill", "--all"], ["delete", "--force"], ["delete"],
                ["state"], ["pause"], ["resume"], ["ps"], ["update", "--pids-limit", "77"]]

    def act(worker):
        chance = random.Random(10 * seed + worker)
        return [rt(*chance.choice(commands), id, status=None) for _ in range(40)]
    with concurrent.futures.ThreadPoolExecutor(6) as workers:
        results = [result for done in workers.map(act, range(6)) for result in done]
    for result in results:
        assert result.status == 0 or result.status == 1 and result.stderr.startswith("containr-oci: "), result
    assert any(result.status == 0 for result in results)
    rt("delete", "--force", id)
    assert rt.leftovers() == []


def test_the_runtime_dies_with_nothing_left(rt, only_ours):
    """A foreground `run` that is killed takes its container along, or leaves it to `delete`."""
    id = rt.new_id()
    process = rt.popen("run", "--bundle", loop(rt).path, id)
    process.stdout.readline()
    process.kill()
    process.wait()
    rt("delete", "--force", id)
    assert rt.leftovers() == [], [describe(pid) for pid in processes_with(rt.token)]


def test_trace_has_the_steps_of_the_plan(any_rt, only_ours):
    """What was done is what was said, number by number. The last of all takes the process over, and is not timed."""
    bundle = any_rt.bundle(args=["/bin/true"])
    id = any_rt.new_id()
    said = any_rt("plan", "--bundle", bundle.path, id).stdout.splitlines()
    done = any_rt("run", "--trace", "--bundle", bundle.path, id).stderr.splitlines()
    steps = {line.split(maxsplit=2)[0]: line.split(maxsplit=2)[1:] for line in said}
    trace = {line.split(maxsplit=5)[4]: [line.split(maxsplit=5)[3], line.split(maxsplit=5)[5]] for line in done}
    assert steps.pop(str(len(said) - 1))[1].startswith("execute")
    assert trace == steps
