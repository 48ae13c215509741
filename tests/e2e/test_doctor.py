"""containr doctor: that it says what this host really has, and finds what is broken on purpose."""

import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from containers import IS_ROOT, TREE, USER, need

GROUPS = ["kernel", "namespaces", "users", "cgroups", "security", "files", "session"]
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
#: Mounts of a test, which go with their namespace.
PRIVATE = ["unshare", "--mount", "--propagation", "private", "sh", "-ec"]


class Report:
    """What one run said."""

    def __init__(self, run):
        self.status, self.text, self.stderr = run.returncode, run.stdout, run.stderr
        self.json = json.loads(run.stdout)
        self.rows = {row["name"]: row for row in self.json["checks"] if row["group"] != "cgroups"}
        self.cgroups = {row["name"]: row for row in self.json["checks"] if row["group"] == "cgroups"}

    def __repr__(self):
        return f"status {self.status}\n{self.text}\n{self.stderr}"


def run(*argv, env=None, **more):
    keep = {"PATH": os.environ["PATH"], "HOME": "/", **(env or {})}
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=60, check=False,
                          env=keep, stdin=subprocess.DEVNULL, **more)


@pytest.fixture
def doctor(containr):
    """Runs it; `prefix` is a command that runs another one, `script` what root does to its mounts first."""

    def look(*flags, prefix=(), script=None, user=False, env=None):
        argv = [*(AS_USER if user and IS_ROOT else []), containr, "doctor", "--json", *flags]
        if script is not None:
            argv = [*PRIVATE, script + '\nexec "$@"', "sh", *argv]
        return Report(run(*prefix, *argv, env=env))

    return look


# ---- the report ---------------------------------------------------------------------------------

@pytest.mark.parametrize("user", [False, True], ids=["root", "user"])
def test_rows_are_complete_and_add_up(doctor, user):
    need(IS_ROOT or user, "needs root")
    seen = doctor(user=user)
    checks = seen.json["checks"]
    assert [group for n, group in enumerate(row["group"] for row in checks)
            if n == 0 or checks[n - 1]["group"] != group] == GROUPS
    assert {row["status"] for row in checks} <= {"ok", "warning", "problem", "absent"}
    assert all(row["fact"] for row in checks), seen
    assert seen.json["problems"] == sum(row["status"] == "problem" for row in checks)
    assert seen.json["warnings"] == sum(row["status"] == "warning" for row in checks)
    assert seen.json["ok"] == (seen.json["problems"] == 0)
    assert seen.status == (0 if seen.json["ok"] else 1)
    assert seen.rows["version"]["fact"].startswith("Linux " + ".".join(os.uname().release.split(".")[:2]))


def test_where_containers_run_it_says_so(doctor, rt):
    """The other tests of this suite start containers here: then no row may be a problem."""
    assert rt.run(rt.bundle(args=["/bin/true"])).status == 0
    assert doctor().json["problems"] == 0


def test_where_a_users_containers_run_it_says_so(doctor, user_rt):
    assert user_rt.run(user_rt.bundle(args=["/bin/true"])).status == 0
    seen = doctor(user=True)
    assert seen.json["problems"] == 0, seen
    assert seen.rows["user"]["status"] == "ok"


def test_text_has_verdict_fact_and_remedy(containr):
    result = run(*PRIVATE, 'mount -t tmpfs tmpfs /proc/sys; exec "$@"', "sh", containr, "doctor") \
        if IS_ROOT else run(containr, "doctor")
    lines = result.stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")][:-1] == GROUPS
    assert lines[-1].startswith("containers ") and "problem" in lines[-1]
    rows = [line for line in lines if line.startswith("  ") and "->" not in line[:34]]
    assert all(line[2:10].strip() in ("ok", "warning", "problem", "not here") for line in rows), result.stdout


def test_quiet_shows_what_is_wrong_alone(containr):
    text = run(containr, "doctor", "-q").stdout
    assert "  ok " not in text and "not here" not in text and text.splitlines()[-1].startswith("containers ")


def test_unknown_format_is_refused(containr):
    result = run(containr, "doctor", "--format", "yaml")
    assert result.returncode == 125 and "yaml" in result.stderr


def test_nothing_is_left(doctor, as_root):
    before = pathlib.Path("/proc/self/mountinfo").read_text()
    doctor()
    doctor(user=True)
    assert pathlib.Path("/proc/self/mountinfo").read_text() == before
    assert not [path for path in pathlib.Path("/sys/fs/cgroup").rglob("containr-doctor*")]
    assert not list(pathlib.Path("/run").glob("*/.containr-doctor*"))


# ---- what is broken is found --------------------------------------------------------------------

def test_no_cgroups(doctor, as_root):
    seen = doctor(script="mount -t tmpfs tmpfs /sys/fs/cgroup")
    assert seen.status == 1
    row = seen.cgroups["version"]
    assert row["status"] == "problem" and "mount -t cgroup2" in row["remedy"]


def test_strict_counts_warnings(doctor, as_root):
    script = "mount -t tmpfs tmpfs /proc/sys"  # covers a part of /proc, which is a warning for root
    assert doctor(script=script).status == 0
    assert doctor("--strict", script=script).status == 2


@pytest.mark.parametrize("user", [False, True], ids=["root", "user"])
def test_a_covered_proc(doctor, as_root, user):
    seen = doctor(script="mount -t tmpfs tmpfs /proc/scsi || mount -t tmpfs tmpfs /proc/fs", user=user)
    row = seen.rows["proc"]
    assert "covered" in row["fact"] and "unmask=ALL" in row["remedy"]
    assert row["status"] == ("problem" if user else "warning")
    assert seen.status == (1 if user else 0)


@pytest.mark.parametrize("call, row", [("openat2", "openat2"), ("clone3", "clone3"), ("fsopen", "mounts"),
                                       ("pidfd_open", "pidfd")])
def test_a_filter_of_the_outer_container(rt, containr, call, row):
    """In a container whose seccomp filter does not know a call, as those of old engines do not."""
    if b"/ld-" in pathlib.Path(containr).read_bytes()[:4096]:
        pytest.skip("this build is not static, and finds no libraries in a container")

    def change(config):
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": [call], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
        config["process"]["capabilities"] = {kind: ["CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT"]
                                             for kind in ("bounding", "effective", "permitted")}

    bundle = rt.bundle(change, args=["/bin/containr", "doctor", "--json"])
    shutil.copy2(containr, bundle.rootfs / "bin/containr")
    result = rt.run(bundle, status=1)
    seen = {entry["name"]: entry for entry in result.json["checks"] if entry["group"] == "kernel"}[row]
    assert seen["status"] == "problem" and "not implemented" in seen["fact"], seen
    assert "seccomp=unconfined" in seen["remedy"]


def test_user_namespaces_switched_off(containr, as_root):
    """user.max_user_namespaces belongs to each user namespace: in one of ours it is ours to change."""
    script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
    # An exec after its id was mapped makes it root there.
    process = subprocess.Popen(["unshare", "--user", "sh", "-c", 'read x; exec "$@"', "sh", "sh", "-c", script, "sh",
                                *AS_USER, containr, "doctor", "--json"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    own = os.readlink("/proc/self/ns/user")
    while os.readlink(f"/proc/{process.pid}/ns/user") == own:
        time.sleep(0.005)
    for file in ("uid_map", "gid_map"):
        pathlib.Path(f"/proc/{process.pid}/{file}").write_text("0 0 70000")
    out, _ = process.communicate("\n", 60)
    rows = {row["name"]: row for row in json.loads(out)["checks"]}
    assert process.returncode == 1
    assert rows["user"]["status"] == "problem"
    assert "sysctl -w user.max_user_namespaces" in rows["user"]["remedy"]
    assert rows["mount"]["status"] == "problem" and "user namespace" in rows["mount"]["fact"]


def test_a_state_directory_that_cannot_be_written(containr):
    result = run(containr, "--root", "/proc/nowhere", "doctor", "--json")
    row = {row["name"]: row for row in json.loads(result.stdout)["checks"]}["state"]
    assert result.returncode == 1 and row["status"] == "problem" and "/proc/nowhere" in row["fact"]


def test_files_a_process(containr):
    result = run("prlimit", "--nofile=100:100", containr, "doctor", "--json")
    row = {row["name"]: row for row in json.loads(result.stdout)["checks"]}["open-files"]
    assert row["status"] == "warning" and "at most 100 " in row["fact"] and "limits.conf" in row["remedy"]


def test_capabilities_that_we_lack(doctor, as_root):
    seen = doctor(prefix=["setpriv", "--bounding-set=-net_raw,-mknod"])
    row = seen.rows["capabilities"]
    assert row["status"] == "warning" and "CAP_NET_RAW" in row["fact"] and "CAP_MKNOD" in row["fact"]


def test_a_session_of_somebody_else(doctor, as_root, tmp_path):
    seen = doctor(user=True, env={"XDG_RUNTIME_DIR": "/run"})
    assert seen.rows["runtime-dir"]["status"] == "problem" and "belongs to uid 0" in seen.rows["runtime-dir"]["fact"]


@pytest.mark.controllers
def test_a_missing_controller_names_the_directory(doctor, as_root):
    """In a view with v2 alone, where this host's v2 has few controllers."""
    need(not pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists(), "this host has v2 alone: see tests/vm")
    seen = doctor(prefix=[TREE / "tools/pure-v2"])
    row = seen.cgroups["memory"]
    assert row["status"] == "warning" and "/sys/fs/cgroup nor a directory above it has it" in row["fact"]
    assert "cgroup_enable=memory" in row["remedy"]
    assert seen.cgroups["version"]["fact"] == "v2"


# ---- subordinate ids ----------------------------------------------------------------------------

NAMED = f"""
cp /etc/passwd $DIR/passwd; echo 'tester:x:{USER}:{USER}::/:/bin/sh' >>$DIR/passwd
mount --bind $DIR/passwd /etc/passwd
echo "$SUBUID" >$DIR/subuid; echo "$SUBGID" >$DIR/subgid
for f in subuid subgid; do [ -e /etc/$f ] || touch /etc/$f; mount --bind $DIR/$f /etc/$f; done
"""


@pytest.fixture
def with_ranges(doctor, as_root, tmp_path):
    """The report for a user of the test's name, with these files in place of the host's."""
    need(shutil.which("newuidmap"), "newuidmap is not installed")

    def look(subuid, subgid="tester:100000:65536", more=""):
        return doctor(user=True, script=NAMED + more,
                      env={"DIR": str(tmp_path), "SUBUID": subuid, "SUBGID": subgid})

    return look


def test_ranges_that_work(with_ranges):
    seen = with_ranges("tester:100000:65536")
    for name in ("subuid", "subgid", "newuidmap", "newgidmap"):
        assert seen.rows[name]["status"] == "ok", seen.rows[name]
    assert seen.rows["subuid"]["fact"] == "/etc/subuid gives tester 65536 ids"


@pytest.mark.parametrize("text, said, remedy", [
    ("", "gives tester no ids", "usermod --add-subuids 100000-165535 tester"),
    ("tester:100000:10", "gives tester only 10 ids: images expect 65536", "usermod"),
    ("tester:100000:65536\nother:165000:65536", "/etc/subuid:2: the ids of other from 165000 on are those of tester",
     "edit /etc/subuid"),
    ("tester:100000-165535", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT", "edit /etc/subuid"),
    ("tester:100000:65536\ntester:1000:10", "/etc/subuid:2: tester gets ids from 1000 on", "edit /etc/subuid"),
])
def test_ranges_that_do_not(with_ranges, text, said, remedy):
    row = with_ranges(text).rows["subuid"]
    assert row["status"] == "warning" and said in row["fact"] and remedy in row["remedy"], row


def test_newuidmap_without_its_bit(with_ranges):
    more = "path=$(command -v newuidmap); cp $path $DIR/newuidmap; mount --bind $DIR/newuidmap $path\n"
    row = with_ranges("tester:100000:65536", more=more).rows["newuidmap"]
    assert row["status"] == "warning" and "neither the setuid bit" in row["fact"]
    assert "setcap cap_setuid=ep" in row["remedy"]


def test_newuidmap_that_cannot_gain_rights(with_ranges, containr):
    more = 'set -- "$1" --no-new-privs "$@"; shift\nset -- setpriv "$@"\n'
    row = with_ranges("tester:100000:65536", more=more).rows["newuidmap"]
    assert row["status"] == "warning" and "no_new_privs is set" in row["fact"]


def test_newuidmap_is_really_tried(with_ranges):
    """It has its bit and there is a range, but the program does not do it."""
    more = "path=$(command -v newuidmap); printf '#!/bin/sh\\necho not today >&2; exit 1\\n' >$DIR/no\n" \
           "chmod 4755 $DIR/no; mount --bind $DIR/no $path\n"
    row = with_ranges("tester:100000:65536", more=more).rows["newuidmap"]
    assert row["status"] == "warning" and "does not map the range: not today" in row["fact"], row


# ---- info ---------------------------------------------------------------------------------------

def test_info_security_is_the_same(containr, doctor):
    rows = json.loads(run(containr, "info", "--security", "--format", "json").stdout)["security"]
    assert rows == [row for row in doctor().json["checks"] if row["group"] == "security"]
    text = run(containr, "info", "--security").stdout
    assert all(row["fact"] in text for row in rows)
