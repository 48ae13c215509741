"""What the tests of escapes are written with: the attacker's program, and ways to put it into a container."""

import errno
import os
import pathlib
import shutil

import pytest

from containers import DEFAULT_CAPS, TREE, build_static


RACE_SECONDS = float(os.environ.get("CONTAINR_RACE_SECONDS", "2.5"))


@pytest.fixture(scope="session")
def attack_program(work):
    build_static(TREE / "tests/probe/attack.c", work / "attack")
    return work / "attack"


@pytest.fixture
def box(rt, attack_program):
    """The runtime, with the attacker's program in every root file system."""
    make = rt.bundle

    def bundle(change=None, args=None, config=None):
        made = make(change, args, config)
        shutil.copy2(attack_program, made.rootfs / "bin/attack")
        return made

    rt.bundle = bundle
    return rt


def results(text):
    """The attacker's lines: name to "ok" or the name of the error."""
    found = {}
    for line in text.splitlines():
        name, _, result = line.rpartition(" ")
        if name:
            found[name] = errno.errorcode.get(int(result), result) if result.isdigit() else result
    return found


def attack(box, *args, change=None, **more):
    return results(box.run(box.bundle(change, args=["/bin/attack", *map(str, args)]), **more).stdout)


def caps(*more):
    names = [*DEFAULT_CAPS, *more]
    return {"process": {"capabilities": {kind: names for kind in ("bounding", "effective", "permitted")}}}


def with_mounts(*mounts, **change):
    def apply(config):
        config["mounts"] += mounts
        for key, value in change.items():
            config[key].update(value)
    return apply


def bind(source, destination, *options):
    return {"type": "bind", "source": str(source), "destination": destination,
            "options": ["rbind", "rprivate", *options]}


def without_mount(config, destination):
    config["mounts"] = [m for m in config["mounts"] if m["destination"] != destination]


def tree_of(path):
    """All that is at and below a directory of the host: what an attack would change."""
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_size) for p in pathlib.Path(path).rglob("*"))


@pytest.fixture
def victim(rt):
    """A directory of the host that nobody gave to a container."""
    path = rt.dir / "victim"
    path.mkdir()
    (path / "secret").write_text("host secret\n")
    before = tree_of(path)
    yield path
    assert tree_of(path) == before, "an attack has changed files of the host"
    assert not any(str(path) in line for line in open("/proc/self/mountinfo")), "mounted on the host"
