"""containr info: what the host has, as the kernel tells it by other ways."""
import json
import os
import pathlib
import re
import subprocess

import pytest


@pytest.fixture
def info(containr):
    def run(*args):
        return subprocess.run([containr, "info", *args], capture_output=True, text=True, timeout=30)
    return run


def own_caps():
    return int(re.search(r"CapEff:\s*(\w+)", pathlib.Path("/proc/self/status").read_text())[1], 16)


def test_json_is_what_the_kernel_says(info):
    seen = json.loads(info("--format", "json").stdout)
    assert seen["kernel"] == ".".join(re.findall(r"\d+", os.uname().release)[:2])
    assert seen["uid"] == os.geteuid()
    assert len(seen["capabilities"]) == bin(own_caps()).count("1")
    assert seen["apparmor"] == (pathlib.Path("/sys/module/apparmor/parameters/enabled").exists() and
                                pathlib.Path("/sys/module/apparmor/parameters/enabled").read_text()[0] == "Y")
    assert seen["selinux"] == pathlib.Path("/sys/fs/selinux/enforce").exists()


def test_text_names_each_layer(info):
    text = info().stdout
    for layer in ("capabilities", "seccomp", "apparmor", "selinux", "landlock", "cgroups"):
        assert re.search(rf"^{layer}", text, re.MULTILINE), layer


def test_unknown_format_is_refused(info):
    result = info("--format", "yaml")
    assert result.returncode == 125 and "yaml" in result.stderr


def test_selinux_module_needs_selinux(containr):
    if pathlib.Path("/sys/fs/selinux/enforce").exists():
        pytest.skip("SELinux is active: tests/vm installs the module")
    result = subprocess.run([containr, "selinux", "install"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 125 and "not active" in result.stderr
