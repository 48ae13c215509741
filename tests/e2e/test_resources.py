"""Limits: that they bite, can be changed and watched, and what people are told when they are reached."""

import json
import os
import pathlib
import signal
import time

import pytest

from containers import need, wait_until

CGROUP = pathlib.Path("/sys/fs/cgroup")
PURE_V2 = (CGROUP / "cgroup.controllers").exists()


def hierarchies():
    """Where hierarchies are mounted, those of v1 by their directory."""
    return [CGROUP] if PURE_V2 else [path for path in sorted(CGROUP.iterdir()) if path.is_dir()]


def has_v1(controller):
    return not PURE_V2 and (CGROUP / controller / "cgroup.procs").exists()


def need_v1(controller):
    """v2's controllers do not exist where v1 has them; tests/vm/resources.sh has those."""
    if not has_v1(controller):
        pytest.skip(f"no hierarchy of v1 has {controller}: see tests/vm/resources.sh")


class Container:
    """A container that waits, and its cgroups."""

    def __init__(self, rt, resources=None, args=("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done")):
        linux = {"resources": resources} if resources else {}
        self.bundle = rt.bundle({"linux": linux}, args=args)
        self.name = self.bundle.config["linux"]["cgroupsPath"].strip("/")
        self.id = rt.started(self.bundle)
        self.rt = rt

    def dir(self, controller=None):
        if PURE_V2:
            return CGROUP / self.name
        return CGROUP / (controller or "unified") / self.name

    def read(self, controller, file):
        return (self.dir(controller) / file).read_text(encoding="ascii").strip()

    def pid(self):
        return self.rt.state(self.id)["pid"]


def cgroups_of(text):
    """/proc/PID/cgroup as {controllers: path}."""
    rows = [line.split(":", 2) for line in text.splitlines()]
    return {row[1]: row[2] for row in rows if row[1] == "" or not PURE_V2}


# ---- exec into a cgroup below -------------------------------------------------------------------

@pytest.fixture
def box(rt, only_ours):
    return Container(rt)


def make_below(box, name, controllers=None):
    for mount in hierarchies():
        if controllers is None or mount.name in controllers:
            path = mount / box.name / name
            path.mkdir()
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not PURE_V2 and (path / file).exists():
                    (path / file).write_text((path.parent / file).read_text())


def test_exec_goes_where_the_container_is(rt, box):
    seen = cgroups_of(rt("exec", box.id, "cat", "/proc/self/cgroup").stdout)
    assert all(path.endswith("/" + box.name) for path in seen.values()), seen


def test_exec_goes_into_a_cgroup_below(rt, box):
    make_below(box, "jobs")
    seen = cgroups_of(rt("exec", "--cgroup", "jobs", box.id, "cat", "/proc/self/cgroup").stdout)
    assert all(path.endswith(f"/{box.name}/jobs") for path in seen.values()), seen


def test_exec_goes_below_in_one_controller(rt, box):
    need_v1("pids")
    make_below(box, "jobs", ["pids", "memory"])
    seen = cgroups_of(rt("exec", "--cgroup", "pids,memory:/jobs/", box.id, "cat",
                         "/proc/self/cgroup").stdout)
    for controllers, path in seen.items():
        below = "/jobs" if controllers in ("pids", "memory") else ""
        assert path.endswith(f"/{box.name}{below}"), (controllers, path)


@pytest.mark.parametrize("given, said", [
    (["../other"], '".." is not allowed'),
    (["jobs/../../.."], '".." is not allowed'),
    (["/../jobs"], '".." is not allowed'),
    (["missing"], "no such file or directory"),
    (["nonsense:jobs"], 'no cgroup of a controller "nonsense"'),
    ([":jobs"], 'no cgroup of a controller ""'),
    (["one", "two"], "expected CONTROLLER:PATH"),
])
def test_exec_refuses_what_is_not_below(rt, box, given, said):
    flags = [word for one in given for word in ("--cgroup", one)]
    result = rt("exec", *flags, box.id, "true", status=255)
    assert said in result.stderr


def test_exec_refuses_a_controller_twice(rt, box):
    need_v1("pids")
    result = rt("exec", "--cgroup", "pids:a", "--cgroup", "memory,pids:b", box.id, "true", status=255)
    assert "pids is named twice" in result.stderr


def test_exec_follows_no_link_out_of_the_cgroup(rt, box):
    # cgroups have no symbolic links; what could be one is a mount. A path through it is refused.
    result = rt("exec", "--cgroup", "cgroup.procs", box.id, "true", status=255)
    assert "not a directory" in result.stderr


def v2_controllers(box):
    """The container's directory in v2, and the controllers that it could give on."""
    unified = box.dir()
    need(unified.exists(), "no cgroup v2 on this host")
    # The root of the view with v2 alone is ours to change; that of the host is not.
    for name in (CGROUP / "cgroup.controllers").read_text().split() if PURE_V2 else ():
        (CGROUP / "cgroup.subtree_control").write_text("+" + name)
    controllers = (unified / "cgroup.controllers").read_text().split()
    need(controllers, "v2 has no controller that could be given on here")
    return unified, controllers


def test_exec_follows_init_where_the_container_gives_controllers_on(rt, box):
    unified, controllers = v2_controllers(box)
    below = unified / "init"
    below.mkdir()
    for pid in (unified / "cgroup.procs").read_text().split():
        (below / "cgroup.procs").write_text(pid)
    (unified / "cgroup.subtree_control").write_text("+" + controllers[0])
    seen = cgroups_of(rt("exec", box.id, "cat", "/proc/self/cgroup").stdout)
    assert seen[""].endswith(f"/{box.name}/init"), seen


def test_exec_does_not_follow_init_out_of_the_container(rt, box):
    unified, controllers = v2_controllers(box)
    other = unified.parent / (box.name + "-other")
    other.mkdir()
    try:
        for pid in (unified / "cgroup.procs").read_text().split():
            (other / "cgroup.procs").write_text(pid)
        (unified / "inner").mkdir()
        (unified / "cgroup.subtree_control").write_text("+" + controllers[0])
        result = rt("exec", box.id, "cat", "/proc/self/cgroup", status=None)
        assert "-other" not in result.stdout
    finally:
        os.kill(box.pid(), signal.SIGKILL)
        wait_until(lambda: not (other / "cgroup.procs").read_text(), what="the cgroup is empty")
        other.rmdir()
