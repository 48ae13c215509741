"""containr inside containr: as root and as an ordinary user, in an outer container with all rights, with the usual
ones, and with those that it needs. Where the kernel refuses, the error says who does and what helps."""

import json
import os

import pytest

#: What an outer container needs for others in it: system calls for namespaces and mounts, and no Landlock.
OPEN = ["--security-opt", "seccomp=unconfined", "--landlock", "none"]
WHOLE_PROC = ["--security-opt", "unmask=ALL"]


@pytest.fixture
def inner(program, containr):
    """Flags that bring the programs into a container, and how the one for people is started there."""
    folder = os.path.dirname(containr)
    return (["-v", f"{folder}:/run/containr-bin:ro"], ["/run/containr-bin/containr", "run", "--rm"])


def nest(people, inner, outer_flags, *inner_flags, command=("id", "-u"), **more):
    """What a command in a container in a container does."""
    folder, run = inner
    return people.do(*outer_flags, *folder, command=[*run, *inner_flags, "--", *command], **more)


def test_in_a_privileged_container(anyone, inner):
    assert nest(anyone, inner, ["--privileged"]).stdout == "0\n"


@pytest.mark.controllers
def test_limits_in_a_privileged_container(root, inner):
    result = nest(root, inner, ["--privileged"], "--memory", "64m", "--pids-limit", "20",
                  command=["cat", "/proc/self/cgroup"])
    assert result.stdout.strip() and "warning: no limit" not in result.stderr


def test_with_an_own_proc(anyone, inner):
    result = nest(anyone, inner, [*OPEN, *WHOLE_PROC], command=["sh", "-c", "id -u; echo $$; ls -d /proc/[0-9]*"])
    assert result.stdout.split()[:2] == ["0", "1"]
    assert "/proc/1" in result.stdout.split() and "covers" not in result.stderr
    assert len(result.stdout.split()) <= 5, "processes outside are in sight"


def test_with_a_covered_proc_the_outer_one_is_bound(anyone, inner):
    """podman#20453"""
    result = nest(anyone, inner, OPEN, command=["sh", "-c", "readlink /proc/self; cat /proc/self/status | head -1"])
    assert "Name:" in result.stdout
    assert "covers a part of /proc" in result.stderr and "unmask=ALL" in result.stderr
    # What was covered stays so.
    result = nest(anyone, inner, OPEN, command=["sh", "-c", "cat /proc/kcore /proc/keys | wc -c"])
    assert result.stdout == "0\n"


def test_a_covered_proc_in_a_configuration_is_explained(anyone, inner, template):
    """Other engines' configurations ask for a procfs: that is not replaced in silence."""
    script = ("mkdir /tmp/b && cd /tmp/b && cp -dR /run/template rootfs && "
              "/run/containr-bin/containr-oci spec --rootless && "
              "sed -i 's,\"terminal\": true,\"terminal\": false,' config.json && "
              "/run/containr-bin/containr-oci --root /tmp/s run x")
    result = anyone.do(*OPEN, *inner[0], "-v", f"{template}:/run/template:ro",
                       command=["sh", "-c", script], status=None)
    assert result.status != 0 and "mount proc on /proc" in result.stderr
    assert "hint: where parts of /proc are covered" in result.stderr and "unmask=ALL" in result.stderr


def test_by_an_ordinary_user_in_it(root, inner):
    folder, run = inner
    result = root.do("--privileged", *folder, command=["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups",
                                                       *run, "--", "cat", "/proc/self/uid_map"])
    assert result.stdout.split() == ["0", "1000", "1"]


def test_the_usual_container_says_what_it_lacks(anyone, inner):
    result = nest(anyone, inner, [], status=125)
    assert "make init in new namespaces" in result.stderr
    assert "hint: the seccomp filter of the container that we are in" in result.stderr
    result = nest(anyone, inner, ["--security-opt", "seccomp=unconfined"], status=125)
    assert "hint: mounts are forbidden here: by the Landlock rules" in result.stderr


def test_the_probe_in_both(anyone, inner, probe_program):
    """The inner one is as confined as if it were alone."""
    result = nest(anyone, inner, ["--privileged", "-v", f"{probe_program}:/run/probe:ro"], "-v", "/run/probe:/run/probe:ro",
                  command=["/run/probe"])
    seen = json.loads(result.stdout)
    assert seen["pid"] == 1 and seen["seccomp"] == 2 and seen["noNewPrivileges"] == 1
