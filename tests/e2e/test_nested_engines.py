"""Containers in containers of other engines: ours in podman's and Docker's, which have runc or ourselves for a runtime,
and podman's in ours. What the outer container withholds is named, with what helps, and that does help."""

import json
import os
import shutil

import pytest

from containers import IS_ROOT, need
from engines import CONFIGURATION, NETWORK, Docker, RootsPodman, UsersPodman

pytestmark = [pytest.mark.engine, pytest.mark.slow]

BIN = "/run/containr-bin"
OPEN = ["--security-opt", "seccomp=unconfined"]
#: What people give who do not want --privileged, as for podman in podman; /proc and the cgroups stay as they are.
RIGHTS = [*OPEN, "--cap-add", "SYS_ADMIN,NET_ADMIN"]
WITHOUT_CGROUP = ["--cgroup-manager", "disabled", "--cap-drop", "mknod"]


def begin(kind, program, template, runtime):
    need(IS_ROOT, "needs root")
    need(shutil.which("podman"), "podman is not installed")
    need(runtime, "runc is not installed")
    engine = kind(program, template)
    engine.runtime = runtime
    return engine


@pytest.fixture(scope="module", params=["runc", "containr-oci"])
def outer(request, program, template):
    engine = begin(RootsPodman, program, template, program if request.param == "containr-oci" else shutil.which("runc"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def users(program, template):
    need(shutil.which("newuidmap"), "uidmap is not installed")
    engine = begin(UsersPodman, program, template, program)
    yield engine
    engine.close()


@pytest.fixture
def inner(containr, program):
    """Flags that bring the programs in."""
    assert os.path.dirname(containr) == os.path.dirname(program)
    return ["--network", "none", "-v", f"{os.path.dirname(containr)}:{BIN}:ro"]


def nest(engine, inner, outer_flags, *inner_flags, command=("id", "-u"), **more):
    """What a command prints in a container of ours in one of the engine's."""
    return engine.box(f"{BIN}/containr", "run", "--rm", *inner_flags, "--", *command, flags=[*inner, *outer_flags], **more)


def refused(engine, inner, outer_flags, *inner_flags):
    assert nest(engine, inner, outer_flags, *inner_flags, status=125) == ""
    return engine.stderr


def test_in_a_privileged_one_it_is_as_confined_as_alone(outer, inner):
    seen = json.loads(nest(outer, inner, ["--privileged"], "-v", "/bin/probe:/run/probe:ro", command=["/run/probe"]))
    assert seen["pid"] == 1 and seen["seccomp"] == 2 and seen["noNewPrivileges"] == 1
    assert seen["openFds"] == [0, 1, 2] and seen["caps"]["bounding"] == 0xa80425fb


@pytest.mark.controllers
def test_in_a_privileged_one_it_has_limits(outer, inner):
    text = nest(outer, inner, ["--privileged"], "--pids-limit", "20", "--memory", "64m",
                command=["sh", "-c", "cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max"])
    assert text == "20\n" and "no limit" not in outer.stderr


def test_the_oci_runtime_in_a_privileged_one(outer, inner):
    script = (f"mkdir -p /tmp/b/rootfs && cd /tmp/b && cp -dR /bin /etc rootfs && {BIN}/containr-oci spec && "
              "sed -i 's,\"terminal\": true,\"terminal\": false,; s,\"args\": .*,\"args\": [\"/bin/probe\"]\\,,' config.json && "
              f"{BIN}/containr-oci run x && {BIN}/containr-oci list -q")
    seen = json.loads(outer.box("sh", "-c", script, flags=[*inner, "--privileged"]))
    assert seen["pid"] == 1 and seen["noNewPrivileges"] == 1


def test_with_the_rights_that_it_needs(outer, inner):
    assert nest(outer, inner, OPEN) == "0\n"
    assert nest(outer, inner, RIGHTS, *WITHOUT_CGROUP) == "0\n"
    assert nest(outer, inner, [*RIGHTS, "--security-opt", "unmask=ALL"], "--cgroup-manager", "disabled", "--userns",
                "auto:size=10", command=["sh", "-c", "cut -c-20 /proc/self/uid_map | head -1; id -u"]).endswith("\n0\n")


def test_as_an_ordinary_user_in_it(outer, inner):
    text = nest(outer, inner, [*OPEN, "--user", "1000"], command=["cat", "/proc/self/uid_map"])
    assert text.split() == ["0", "1000", "1"]


def test_what_is_withheld_is_named_and_can_be_done_without(outer, inner):
    said = refused(outer, inner, [])
    assert "set the host name" in said and "seccomp filter of the container that we are in" in said and "--uts host" in said
    assert nest(outer, inner, [], "--uts", "host") == "0\n"

    admin = [*OPEN, "--cap-add", "SYS_ADMIN"]
    said = refused(outer, inner, admin)
    assert "is mounted read-only" in said and "has its cgroups read-only" in said and "--cgroup-manager disabled" in said
    said = refused(outer, inner, admin, *WITHOUT_CGROUP)
    assert "bring the loopback device up" in said and "CAP_NET_ADMIN" in said and "--network host" in said
    assert nest(outer, inner, admin, *WITHOUT_CGROUP, "--network", "host") == "0\n"


def test_in_containers_of_an_ordinary_users_podman(users, inner):
    assert nest(users, inner, ["--privileged"]) == "0\n"
    assert "set the host name" in refused(users, inner, [])
    assert nest(users, inner, [], "--uts", "host") == "0\n"


# ---- in Docker's ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def docker(program, template):
    need(IS_ROOT, "needs root")
    need(shutil.which("dockerd") and shutil.which("docker"), "docker.io is not installed (`tools/need docker`)")
    engine = Docker(program, template)
    yield engine
    engine.close()


@pytest.mark.parametrize("runtime", ["runc", "containr"])
def test_in_containers_of_docker(docker, containr, runtime):
    need(runtime != "runc" or shutil.which("runc"), "runc is not installed")

    def nested(outer_flags, *inner_flags, command=("id", "-u"), **more):
        return docker.run(f"{BIN}/containr", "run", "--rm", *inner_flags, "--", *command, runtime=runtime,
                          flags=["-v", f"{os.path.dirname(containr)}:{BIN}:ro", *outer_flags], **more)

    assert nested([], status=125) == ""
    assert "hint: the seccomp filter of the container that we are in keeps new namespaces from it" in docker.stderr
    assert nested(OPEN) == "0\n" and "covers a part of /proc" in docker.stderr
    assert nested([*OPEN, "--security-opt", "systempaths=unconfined"]) == "0\n" and "covers" not in docker.stderr
    assert nested([*OPEN, "--user", "1000"], command=["cat", "/proc/self/uid_map"]).split() == ["0", "1000", "1"]
    rights = [*OPEN, "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"]
    assert nested(rights, status=125) == "" and "--cgroup-manager disabled" in docker.stderr
    assert nested(rights, *WITHOUT_CGROUP) == "0\n"


# ---- podman in ours -------------------------------------------------------------------------------

SCRIPT = f"""
export HOME=/work CONTAINERS_CONF=/work/containers.conf
podman() {{
	command podman --root /work/storage --runroot /run/podman --tmpdir /run/tmp --storage-driver vfs \\
		--runtime {BIN}/containr-oci "$@" </dev/null
}}
podman import /work/image.tar localhost/box >/dev/null
box() {{ podman run --rm "$@"; }}
box --network none localhost/box sh -c 'echo pid $$'
box localhost/box sh -c 'ip addr show eth0 | grep -o "inet 10" | head -1'
box --network none --user 5:6 --cap-drop all localhost/box sh -c 'echo user $(id -u):$(id -g)'
podman run --detach --name life --network none localhost/box sleep 100 >/dev/null
podman exec life sh -c 'echo exec $$; exit 7' || echo status $?
podman rm --force --time 0 life >/dev/null
box --network none --pids-limit 20 localhost/box sh -c 'cat /sys/fs/cgroup/pids/pids.max || cat /sys/fs/cgroup/pids.max'
podman ps --all --quiet
"""


@pytest.mark.controllers
def test_podman_in_a_privileged_one_of_ours(root, program, template):
    need(shutil.which("podman"), "podman is not installed")
    need(os.path.exists("/etc/containers/policy.json"), "podman's own configuration is not installed")
    work = root.dir / "podman"
    (work / "networks").mkdir(parents=True)
    (work / "containers.conf").write_text((CONFIGURATION + NETWORK).format(program=f"{BIN}/containr-oci", dir="/work"))
    shutil.make_archive(work / "image", "tar", template)
    try:
        result = root.do("--privileged", "-v", f"{work}:/work", "-v", f"{os.path.dirname(program)}:{BIN}:ro", "-v",
                         "/etc/containers:/etc/containers:ro", command=["sh", "-ec", SCRIPT], timeout=120)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    lines = result.stdout.splitlines()
    assert lines[:3] == ["pid 1", "inet 10", "user 5:6"], result
    assert lines[3].startswith("exec ") and lines[4:] == ["status 7", "20"], result
