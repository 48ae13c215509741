"""What somebody meets who types commands: version, help, mistakes, logs, and what is printed for programs."""

import json
import os
import re
import subprocess
import time

import pytest

from containers import IS_ROOT, need

COMMANDS = "create start state kill delete run exec list ps pause resume spec features plan".split()
RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"


@pytest.fixture
def cli(program, tmp_path):
    """Runs the program in an empty directory with a state directory of its own."""
    def run(*args, status=0, env=None, root=True, cwd=tmp_path, **more):
        argv = [program, *(["--root", str(tmp_path / "state")] if root else []), *map(str, args)]
        result = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False,
                                env={"PATH": os.environ["PATH"], **(env or {})}, cwd=cwd, **more)
        assert result.returncode == status, f"{argv}\n{result.stdout}\n{result.stderr}"
        return result
    run.dir = tmp_path
    return run


@pytest.fixture(autouse=True)
def _only_ours(only_ours):
    """Texts are ours; what is the same for all runtimes is in test_lifecycle.py."""


# ---- version and help ---------------------------------------------------------------------------

@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version_is_three_lines_for_engines(cli, flag):
    lines = cli(flag, root=False).stdout.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"containr-oci version \d+\.\d+\.\d+", lines[0])
    assert re.fullmatch(r"commit: \S+", lines[1])
    assert re.fullmatch(r"spec: 1\.\d+\.\d+", lines[2])
    # dockerd takes the last line with this word.
    assert sum("version" in line for line in lines) == 1


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"], []])
def test_help_names_every_command(cli, args):
    text = cli(*args, root=False).stdout
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", text, re.M), name


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(cli, name):
    for args in ([name, "--help"], [name, "-h"], ["help", name]):
        text = cli(*args, root=False).stdout
        assert text.startswith(f"containr-oci {name} - ")
        assert f"Usage: containr-oci {name}" in text


def test_help_fits_a_terminal(cli):
    for name in COMMANDS:
        assert all(len(line) <= 120 for line in cli(name, "--help").stdout.splitlines())


# ---- mistakes -----------------------------------------------------------------------------------

def test_unknown_command(cli):
    result = cli("strat", "x", status=3)
    assert 'unknown command "strat"' in result.stderr
    assert "did you mean `containr-oci start`?" in result.stderr
    assert "--help" in cli("frobnicate", "x", status=3).stderr


@pytest.mark.parametrize("args, words", [
    (["state"], ['"state" requires a container id', "usage: containr-oci state <container-id>"]),
    (["state", "a", "b"], ['takes no argument "b"']),
    (["list", "a"], ['takes no argument "a"']),
    (["delete", "--frce", "x"], ["unknown option --frce", "did you mean --force?"]),
    (["run", "--bundle"], ["--bundle needs a value"]),
    (["run", "--preserve-fds", "many", "x"], ["--preserve-fds many", "whole number"]),
    (["list", "--format", "xml"], ["--format xml", "invalid format option", "table or json"]),
    (["plan", "--format", "table"], ["text or json"]),
    (["kill", "x", "SIGNOT"], ['unknown signal "SIGNOT"']),
    (["--log-format", "xml", "list"], ["unknown log-format"]),
    (["--rootless", "maybe", "list"], ["true, false or auto"]),
    (["state", "a/b"], ["invalid container id format"]),
    (["state", "x"], ["container x does not exist"]),
    (["start", "x"], ["does not exist"]),
    (["kill", "x"], ["does not exist"]),
    (["delete", "x"], ["does not exist"]),
    (["ps", "x"], ["does not exist"]),
    (["pause", "x"], ["does not exist"]),
    (["resume", "x"], ["does not exist"]),
    (["create", "x"], ["config.json", "no such file or directory"]),
    (["run", "--bundle", "/nowhere", "x"], ["/nowhere/config.json", "no such file or directory"]),
])
def test_mistakes_are_told(cli, args, words):
    result = cli(*args, status=1)
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    assert result.stderr.startswith("containr-oci: ")
    assert not (cli.dir / "state/x").exists()


def test_exec_has_a_status_of_its_own(cli):
    assert "does not exist" in cli("exec", "x", "ls", status=255).stderr
    assert "process args cannot be empty" in cli("exec", "x", status=255).stderr


def test_delete_force_of_what_is_not_there(cli):
    assert cli("delete", "--force", "x", "y").stderr == ""


def test_delete_tries_all(cli):
    error = cli("delete", "x", "y", status=1).stderr
    assert "container x" in error and "container y" in error


def test_options_in_every_form(cli):
    (cli.dir / "b").mkdir()
    cli("spec", "--bundle", "b")
    (cli.dir / "b/config.json").unlink()
    cli("spec", "--bundle=b", "--rootless=false")
    for args in (["--bundle", "b"], ["--bundle=b"], ["-b", "b"], ["-bb"], ["-bundle", "b"]):
        cli("plan", *args)
    cli("--debug=true", "--systemd-cgroup=false", "--rootless=auto", "list")
    cli("--rootless", "false", "list")


# ---- logs ---------------------------------------------------------------------------------------

def test_log_in_json(cli):
    log = cli.dir / "log.json"
    result = cli("--log", log, "--log-format", "json", "state", "x", status=1)
    line = json.loads(log.read_text())
    assert line["level"] == "error"
    assert line["msg"] == "container x does not exist"
    assert re.fullmatch(RFC3339, line["time"])
    assert "container x does not exist" in result.stderr
    cli("--log", log, "--log-format=json", "delete", "x", status=1)
    assert len(log.read_text().splitlines()) == 2


def test_log_has_the_hint_in_the_same_line(cli):
    log = cli.dir / "log.json"
    cli("--log", log, "--log-format", "json", "kill", "x", "NOT", status=1)
    assert re.search(r'unknown signal "NOT" \(.*such as TERM\)', json.loads(log.read_text())["msg"])


def test_log_in_text(cli):
    log = cli.dir / "log"
    cli("--log", log, "state", "x", status=1)
    assert re.fullmatch(rf'time="{RFC3339}" level=error msg="container x does not exist"\n',
                        log.read_text())


def test_log_in_json_without_a_file(cli):
    result = cli("--log-format", "json", "state", "x", status=1)
    assert json.loads(result.stderr)["level"] == "error"


def test_log_that_cannot_be_written(cli):
    error = cli("--log", "/nowhere/log", "state", "x", status=1).stderr
    assert "does not exist" in error and "open the log /nowhere/log" in error


def test_no_log_without_a_reason(cli):
    cli("--log", cli.dir / "log", "list")
    assert not (cli.dir / "log").exists()


def test_nothing_from_outside_controls_the_terminal(cli):
    error = cli("kill", "x", "\x1b[2J\n\x07", status=1).stderr
    assert "\x1b" not in error and "\x07" not in error


def test_debug_names_unknown_keys(cli):
    cli("spec")
    config = json.loads((cli.dir / "config.json").read_text())
    config["process"]["colour"] = "red"
    (cli.dir / "config.json").write_text(json.dumps(config))
    assert cli("plan").stderr == ""
    assert "process.colour" in cli("--debug", "plan").stderr


# ---- what is printed for programs ---------------------------------------------------------------

def test_list_of_nothing(cli):
    assert cli("list").stdout.split() == "ID PID STATUS BUNDLE CREATED OWNER".split()
    assert cli("list", "-q").stdout == ""
    assert cli("list", "--format", "json").stdout == "null\n"


def test_features(cli):
    features = json.loads(cli("features").stdout)
    assert features["ociVersionMin"] == "1.0.0"
    assert features["ociVersionMax"].startswith("1.")
    assert len(features["hooks"]) == 6
    options = features["mountOptions"]
    assert options == sorted(set(options))
    assert {"bind", "rbind", "rro", "ridmap", "tmpcopyup", "nosymfollow", "rslave"} <= set(options)
    linux = features["linux"]
    assert set(linux["namespaces"]) == {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}
    assert len(linux["capabilities"]) == 41
    assert {"v1", "v2", "systemd", "systemdUser", "rdma"} == set(linux["cgroup"])
    seccomp = linux["seccomp"]
    assert seccomp["enabled"] and "SCMP_ACT_NOTIFY" in seccomp["actions"]
    assert len(seccomp["operators"]) == 7
    assert "SCMP_ARCH_X86_64" in seccomp["archs"]
    assert set(seccomp["supportedFlags"]) <= set(seccomp["knownFlags"])
    for part in ("apparmor", "selinux", "intelRdt", "netDevices"):
        assert linux[part]["enabled"] is True
    assert linux["mountExtensions"]["idmap"]["enabled"] is True
    assert "MPOL_BIND" in linux["memoryPolicy"]["modes"]


def test_mount_options_of_features_are_all_known(cli):
    """What is listed is taken; what is not known is passed to the file system, and shows in the plan."""
    cli("spec")
    config = json.loads((cli.dir / "config.json").read_text())
    # Those that need more than a word, or another kind of mount.
    other = {"bind", "rbind", "remount", "idmap", "ridmap", "copy-symlink", "src-nofollow", "dest-nofollow",
             "tmpoverlay"}
    superblock = {"sync", "async", "dirsync", "mand", "nomand", "lazytime", "nolazytime"}
    for option in json.loads(cli("features").stdout)["mountOptions"]:
        if option in other | superblock:
            continue
        mount = {"destination": "/x", "type": "tmpfs", "source": "tmpfs", "options": [option]}
        config["mounts"] = [mount]
        (cli.dir / "config.json").write_text(json.dumps(config))
        cli("plan")


@pytest.mark.parametrize("rootless", [False, True])
def test_spec_is_a_valid_and_careful_configuration(cli, rootless):
    cli("spec", *(["--rootless"] if rootless else []))
    config = json.loads((cli.dir / "config.json").read_text())
    process, linux = config["process"], config["linux"]
    assert process["noNewPrivileges"] is True
    assert set(process["capabilities"]) == {"bounding", "effective", "permitted"}
    assert "CAP_SYS_ADMIN" not in process["capabilities"]["bounding"]
    assert config["root"]["readonly"] is True
    assert "/proc/kcore" in linux["maskedPaths"] and "/proc/sys" in linux["readonlyPaths"]
    kinds = {row["type"] for row in linux["namespaces"]}
    assert ("user" in kinds) == rootless and ("network" in kinds) != rootless
    if rootless:
        assert linux["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
        assert not any(o.startswith("gid=") for m in config["mounts"] for o in m["options"])
    cli("plan")


def test_spec_overwrites_nothing(cli):
    (cli.dir / "config.json").write_text("mine")
    assert "File config.json exists. Remove it first" in cli("spec", status=1).stderr
    assert (cli.dir / "config.json").read_text() == "mine"


# ---- where the state is -------------------------------------------------------------------------

def claim(plan):
    """The step that says where the state will be."""
    return next(line for line in plan.splitlines() if "claim the id" in line)


def test_state_directory_of_the_environment(cli):
    cli("spec")
    run = {"XDG_RUNTIME_DIR": "/run/user/4711"}
    first = "/run/containr/ID" if IS_ROOT else "/run/user/4711/containr/ID"
    assert first in claim(cli("plan", root=False, env=run).stdout)
    assert str(cli.dir / "state/ID") in claim(cli("plan", env=run).stdout)
    assert str(cli.dir / "s/ID") in claim(cli("--root", "s", "plan", root=False).stdout)


def test_root_of_a_user_namespace_is_an_ordinary_user(cli, program):
    cli("spec", "--rootless")
    probe = subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True)
    need(probe.returncode == 0, "no user namespaces here")
    for user, where in (("alice", "/run/user/4711/containr"), ("root", "/run/containr")):
        result = subprocess.run(["unshare", "-Ur", program, "plan"], capture_output=True, text=True, cwd=cli.dir,
                                check=True, env={"PATH": os.environ["PATH"], "USER": user,
                                                 "XDG_RUNTIME_DIR": "/run/user/4711"})
        assert where + "/ID" in claim(result.stdout)


# ---- small things that go wrong -----------------------------------------------------------------

def test_output_that_cannot_be_written(cli, program):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([program, "features"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert "write to standard output: no space left on device" in result.stderr


def test_closed_standard_descriptors(rt):
    """Nothing that is opened may become standard output by its number, ours or the container's."""
    bundle, id = rt.bundle(args=["/bin/probe", "/out"]), rt.new_id()
    script = f'exec "$0" --log {rt.dir}/log --root {rt.root} run --bundle {bundle.path} {id} <&- >&- 2>&-'
    result = subprocess.run(["bash", "-c", script, rt.program], check=False, timeout=30)
    assert result.returncode == 0
    assert json.loads((bundle.rootfs / "out").read_text())["openFds"] == [0, 1, 2]
    assert not (rt.dir / "log").exists()


def test_directory_that_is_gone(cli, program):
    gone = cli.dir / "gone"
    script = f'mkdir {gone} && cd {gone} && rmdir {gone} && exec "$0" --root /nowhere list'
    subprocess.run(["bash", "-c", script, program], check=True, capture_output=True)


# ---- with containers ----------------------------------------------------------------------------

def test_state_for_programs(any_rt):
    id = any_rt.create(
        any_rt.bundle({"annotations": {"org.example": "a \"quoted\" note"}}, args=["/bin/probe", "--wait"]))
    text = any_rt("state", id).stdout
    state = json.loads(text)
    assert list(state) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created",
                           "annotations", "owner"]
    assert state["annotations"] == {"org.example": "a \"quoted\" note"}
    assert re.fullmatch(RFC3339, state["created"])
    assert state["rootfs"] == state["bundle"] + "/rootfs"
    row = json.loads(any_rt("list", "--format", "json").stdout)
    assert [r["id"] for r in row] == [id] and row[0]["pid"] == state["pid"]
    table = any_rt("list").stdout.splitlines()
    assert table[1].split()[:3] == [id, str(state["pid"]), "created"]
    assert any_rt("list", "-q").stdout == id + "\n"


def test_ps_table(rt):
    id = rt.started()
    pid = rt.state(id)["pid"]
    lines = rt("ps", id).stdout.splitlines()
    assert "PID" in lines[0].split() and len(lines) == 2
    assert str(pid) in lines[1].split()
    lines = rt("ps", id, "-o", "pid,comm", "-A").stdout.splitlines()
    assert lines[1].split() == [str(pid), "probe"]
    assert "no column PID" in rt("ps", id, "-o", "comm", "-A", status=1).stderr


def hook(script, **more):
    return {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"], **more}


def test_poststart_and_poststop_get_the_state(rt):
    out = rt.dir / "out"
    bundle = rt.bundle({"hooks": {"poststart": [hook(f"cat >{out}.start; pwd >>{out}.start")],
                                  "poststop": [hook(f"cat >{out}.stop")]},
                        "annotations": {"k": "v"}}, args=["/bin/probe", "--wait"])
    id = rt.started(bundle)
    text, cwd = (rt.dir / "out.start").read_text().rsplit("}", 1)
    state = json.loads(text + "}")
    assert (state["id"], state["status"], state["bundle"]) == (id, "running", str(bundle.path))
    assert state["pid"] == rt.state(id)["pid"] and state["annotations"] == {"k": "v"}
    assert cwd.strip() == str(bundle.path)
    rt("delete", "--force", id)
    state = json.loads((rt.dir / "out.stop").read_text())
    assert state["status"] == "stopped" and "pid" not in state


def test_poststart_that_fails_ends_the_container(rt):
    bundle = rt.bundle({"hooks": {"poststart": [hook("echo no >&2; exit 3")]}}, args=["/bin/probe", "--wait"])
    id = rt.create(bundle)
    error = rt("start", id, status=1).stderr
    assert "error running poststart hook #0: /bin/sh: exit status 3, stdout: , stderr: no" in error
    assert rt.state(id)["status"] == "stopped"


def test_poststop_that_fails_is_a_warning(rt):
    marker = rt.dir / "second"
    bundle = rt.bundle({"hooks": {"poststop": [hook("exit 3"), hook(f"touch {marker}")]}},
                       args=["/bin/probe", "--wait"])
    id = rt.started(bundle)
    result = rt("delete", "--force", id)
    assert "warning: error running poststop hook #0" in result.stderr
    assert marker.exists()
    rt("state", id, status=1)


def test_hook_that_hangs_is_killed_with_all_its_children(rt):
    bundle = rt.bundle({"hooks": {"poststart": [hook("sleep 60 & sleep 60", timeout=1)]}},
                       args=["/bin/probe", "--wait"])
    id = rt.create(bundle)
    assert "timeout of 1 seconds" in rt("start", id, status=1).stderr


def test_start_tells_what_init_says(rt):
    """What goes wrong behind the gate is told by `start`, in words, though the plan is gone."""
    bundle = rt.bundle({"hooks": {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}},
                       args=["/bin/probe", "--wait"])
    id = rt.create(bundle)
    error = rt("start", id, status=1).stderr
    assert "startContainer" in error and "step" in error
    rt.wait_status(id, "stopped")


def test_state_of_others_is_not_believed(rt):
    id = rt.started()
    directory = rt.root / id
    directory.chmod(0o777)
    assert "can be written by others" in rt("kill", id, "KILL", status=1).stderr
    directory.chmod(0o700)
    os.chown(directory, 4711, 4711)
    assert "owned by uid 4711" in rt("delete", "--force", id, status=1).stderr
    os.chown(directory, 0, 0)


def test_claimed_and_abandoned_ids_can_be_deleted(rt):
    """A creator that was killed right after it had claimed the id."""
    id = rt.new_id()
    (rt.root / id).mkdir(mode=0o700)
    assert "does not exist" in rt("state", id, status=1).stderr
    (rt.root / id / "state.json").write_text('{"id":"half')
    assert "does not exist" in rt("kill", id, status=1).stderr
    rt("delete", "--force", id)
    assert not (rt.root / id).exists()


def test_pid_of_another_process_is_left_alone(rt):
    """The number that was written down belongs to somebody else by now."""
    id = rt.started()
    pid = rt.state(id)["pid"]
    rt("kill", id, "KILL")
    rt.wait_status(id, "stopped")
    time.sleep(0.03)  # start times count in hundredths of a second; no number comes back as soon
    other = subprocess.Popen(["sleep", "60"])
    try:
        start = (rt.root / id / "init").read_text().split()[1]
        (rt.root / id / "init").write_text(f"{other.pid} {start}\n")
        assert pid != other.pid
        assert rt.state(id)["status"] == "stopped"
        assert "container not running" in rt("kill", id, "KILL", status=1).stderr
        rt("delete", "--force", id)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
