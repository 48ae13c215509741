"""Landlock: the annotation run.containr.landlock, seen from inside the container."""

import ctypes
import json

import pytest

from containers import need

KEY = "run.containr.landlock"
PATHS = {"rules": {"pathBeneath": [
    {"allowedAccess": ["read", "execute"], "paths": ["/bin", "/proc"]},
    {"allowedAccess": ["read", "write"], "paths": ["/data", "/not/there"]},
    {"allowedAccess": ["read", "write", "ioctl_dev"], "paths": ["/dev/null"]},
]}}
#: Each line says which of the two it was; what the shell complains of goes to standard error.
LOOK = """
cat /data/file >/dev/null && echo reads-data || echo -
echo x >/data/new && echo writes-data || echo -
rm /data/new && echo removes || echo -
cat /etc/passwd >/dev/null && echo reads-etc || echo -
echo x >/tmp/new && echo writes-tmp || echo -
ls / >/dev/null && echo lists-root || echo -
cat /bin/busybox >/data/busybox && chmod 755 /data/busybox && /data/busybox true && echo executes-data || echo -
"""


def abi():
    return max(0, ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1))


@pytest.fixture(autouse=True)
def landlock(only_ours):
    need(abi() > 0, "Landlock is not active in this kernel")


def bundle(rt, script, rules, **process):
    config = {"process": {"args": ["/bin/sh", "-c", script], **process}}
    if rules is not None:
        config["annotations"] = {KEY: rules if isinstance(rules, str) else json.dumps(rules)}
    made = rt.bundle(config)
    made.rootfs.joinpath("data").mkdir(exist_ok=True)
    made.rootfs.joinpath("data").chmod(0o777)
    made.rootfs.joinpath("data/file").write_text("content\n")
    return made


def seen(rt, rules, script=LOOK, **process):
    return set(rt.run(bundle(rt, script, rules, **process)).stdout.split()) - {"-"}


def test_without_it_everything_goes(any_rt):
    assert seen(any_rt, None) == {"reads-data", "writes-data", "removes", "reads-etc", "writes-tmp",
                                  "lists-root", "executes-data"}


def test_only_what_the_rules_say(any_rt):
    assert seen(any_rt, PATHS) == {"reads-data", "writes-data", "removes"}


@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("new_privileges", [True, False])
def test_for_every_user_and_without_no_new_privileges(rt, user, new_privileges):
    """Without no_new_privs it takes CAP_SYS_ADMIN, which the program must not keep."""
    script = LOOK + "grep -q 'CapEff:.*0000000000$' /proc/self/status && echo no-caps"
    found = seen(rt, PATHS, script, noNewPrivileges=not new_privileges,
                 user={"uid": user, "gid": user},
                 capabilities={"bounding": [], "effective": [], "permitted": []})
    assert found == {"reads-data", "writes-data", "removes", "no-caps"}


def test_rules_for_what_the_user_cannot_reach(rt):
    """The paths are opened as root: a rule does not vanish with the right to find its file."""
    rules = {"disableBestEffort": True, "rules": {"pathBeneath": [
        {"allowedAccess": ["read", "execute"], "paths": ["/bin", "/data/deep"]}]}}
    made = bundle(rt, "cat /etc/passwd", rules, user={"uid": 1000, "gid": 1000})
    made.rootfs.joinpath("data/deep").mkdir()
    made.rootfs.joinpath("data").chmod(0o700)
    made.write()
    result = rt.run(made, status=1)
    assert "root:" not in result.stdout


def test_a_missing_path_is_skipped_or_an_error(rt):
    made = bundle(rt, "true", {**PATHS, "disableBestEffort": True})
    assert "/not/there: no such file or directory" in rt.run(made, status=None).stderr
    assert rt("list", "-q").stdout == ""


def test_links_do_not_widen_a_rule(rt):
    """A link in the image leads where the container's root has it, not where the host has."""
    made = bundle(rt, "cat /etc/passwd && echo reads-etc; cat /data/file", {"rules": {"pathBeneath": [
        {"allowedAccess": ["read", "execute"], "paths": ["/bin", "/data", "/way"]}]}})
    made.rootfs.joinpath("way").symlink_to("../../../tmp")
    result = rt.run(made)
    assert "content" in result.stdout and "reads-etc" not in result.stdout


def test_ports(rt):
    need(abi() >= 4, "this kernel's Landlock does not know TCP")
    rules = {"rules": {"netPort": [{"allowedAccess": ["connect_tcp"], "ports": [80]}]}}
    text = rt.run(bundle(rt, """nc -w 1 127.0.0.1 80 2>&1; nc -w 1 127.0.0.1 81 2>&1
        nc -l -p 90 2>&1; true""", rules)).stdout
    assert "refused" in text  # nobody listens at port 80, which may be asked
    assert text.count("ermission denied") == 2


def test_scopes(rt):
    """No signal reaches a process outside; the twin, without the scope, does."""
    need(abi() >= 6, "this kernel's Landlock does not know scopes")
    id = rt.started(rt.bundle(args=["/bin/sleep", "100"]))
    pid = rt.state(id)["pid"]
    for scoped, expected in ([], "signals"), (["signal"], ""):
        made = bundle(rt, f"kill -0 {pid} && echo signals; true",
                      {"ruleset": {"handledAccessFS": ["make_block"], "scoped": scoped}})
        made.config["linux"]["namespaces"] = [
            row for row in made.config["linux"]["namespaces"] if row["type"] != "pid"]
        made.write()
        assert rt.run(made).stdout.strip() == expected


def test_exec_is_under_it_too(any_rt):
    id = any_rt.started(bundle(any_rt, "sleep 100", PATHS))
    assert "content" in any_rt("exec", id, "/bin/cat", "/data/file").stdout
    assert "ermission denied" in any_rt("exec", id, "/bin/cat", "/etc/passwd", status=1).stderr


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"rule": {}}', '{"ruleset": {"scoped": ["signals"]}}'])
def test_a_broken_annotation_is_refused(rt, text):
    result = rt.run(bundle(rt, "true", text), status=None)
    assert result.status != 0 and KEY in result.stderr
