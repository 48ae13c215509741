"""The shortest way through: it runs, it says what it saw, it goes."""


def test_run_prints_and_leaves_nothing(any_rt):
    assert any_rt.shell("echo hello from $(hostname)") == "hello from e2e\n"


def test_probe_sees_a_container(any_rt):
    seen = any_rt.probe()
    assert seen["pid"] == 1
    assert seen["hostname"] == "e2e"
    assert seen["uid"] == [0, 0, 0]
    assert seen["openFds"] == [0, 1, 2]
    assert seen["noNewPrivileges"] == 1


def test_create_start_state_kill_delete(any_rt):
    id = any_rt.create()
    assert any_rt.state(id)["status"] == "created"
    any_rt("start", id)
    assert any_rt.state(id)["status"] == "running"
    any_rt("kill", id, "TERM")
    any_rt.wait_status(id, "stopped")
    any_rt("delete", id)
    any_rt("state", id, status=1)
