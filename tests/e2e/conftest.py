"""Fixtures of the end-to-end tests; what they are made of is in containers.py."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from containers import TREE, USER, IS_ROOT, Runtime, build_static, make_rootfs, need
from people import People, UserWithRanges


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    config.addinivalue_line("markers", "engine: drives a container engine")
    config.addinivalue_line("markers", "controllers: needs controllers that a view with cgroup v2 alone may not have")


@pytest.fixture(scope="session")
def work():
    """A directory of the session that every user can enter."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ctr-session-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def program(work):
    """The runtime under test, in a place from which an ordinary user can run it, too."""
    path = os.environ.get("CONTAINR_OCI", str(TREE / "build/src/cli/containr-oci"))
    path = shutil.which(path) or path
    if not os.path.exists(path):
        pytest.exit(f"{path} is not there: run `make`, or set CONTAINR_OCI", returncode=2)
    if path.startswith("/usr/"):
        return path
    target = work / "bin"
    target.mkdir()
    shutil.copy2(path, target / os.path.basename(path))
    return str(target / os.path.basename(path))


@pytest.fixture(scope="session")
def containr(program, work):
    """The program for people, which lies beside the other."""
    source = pathlib.Path(os.environ.get("CONTAINR_OCI", str(TREE / "build/src/cli/containr-oci"))).parent / "containr"
    if not source.exists():
        pytest.skip(f"{source} is not there")
    target = pathlib.Path(program).parent / "containr"
    if not target.exists():
        shutil.copy2(source, target)
    return str(target)


@pytest.fixture(scope="session")
def kind(program):
    """containr, runc or crun: what the program calls itself."""
    text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    first = text.split()[0]
    return "containr" if first.startswith("containr") else first


@pytest.fixture(scope="session")
def ours(kind):
    return kind == "containr"


@pytest.fixture
def only_ours(ours):
    if not ours:
        pytest.skip("a promise of containr, not of every runtime")


@pytest.fixture(scope="session")
def probe_program(work):
    build_static(TREE / "tests/probe/probe.c", work / "probe")
    return work / "probe"


@pytest.fixture(scope="session")
def template(work, probe_program):
    """The root file system that bundles are copied from."""
    path = work / "rootfs"
    make_rootfs(path, probe_program)
    return path


@pytest.fixture
def as_root():
    need(IS_ROOT, "needs root")


@pytest.fixture
def rt(program, template, as_root):
    """The runtime, run by root."""
    runtime = Runtime(program, template)
    yield runtime
    runtime.close()


@pytest.fixture
def user_rt(program, template, tmp_path_factory):
    """The runtime, run by an ordinary user."""
    if IS_ROOT:
        need(shutil.which("setpriv"), "setpriv is not installed")
        probe = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                                "unshare", "-U", "true"], check=False, capture_output=True)
    else:
        probe = subprocess.run(["unshare", "-U", "true"], check=False, capture_output=True)
    need(probe.returncode == 0, "ordinary users cannot make user namespaces here")
    runtime = Runtime(program, template, USER if IS_ROOT else None)
    yield runtime
    runtime.close()


@pytest.fixture(params=["root", "user"])
def any_rt(request):
    """Once as root and once as an ordinary user."""
    return request.getfixturevalue("rt" if request.param == "root" else "user_rt")


@pytest.fixture
def root(containr, program, template, probe_program, as_root):
    people = People(containr, program, template, probe_program)
    yield people
    people.close()


@pytest.fixture
def user(containr, program, template, probe_program, user_rt):
    people = People(containr, program, template, probe_program, USER if IS_ROOT else None)
    yield people
    people.close()


@pytest.fixture
def ranged(containr, program, template, probe_program, as_root):
    """A user with ranges in /etc/subuid and /etc/subgid."""
    need(shutil.which("newuidmap") and shutil.which("newgidmap"), "uidmap is not installed")
    for name in ("subuid", "subgid"):
        need(os.path.exists(f"/etc/{name}"), f"/etc/{name} is not there to be replaced")
    people = UserWithRanges(containr, program, template, probe_program, USER)
    yield people
    people.close()


@pytest.fixture(params=["root", "user"])
def anyone(request):
    """Once as root and once as an ordinary user."""
    return request.getfixturevalue(request.param)
