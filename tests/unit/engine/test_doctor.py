import json
import os
from dataclasses import asdict
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from hilgui.engine import doctor, provider_probe, shared_libraries
from hilgui.plugins import Plugin


def test_the_report_is_complete_and_can_be_written_as_json():
    items = doctor.report()
    names = {item.name for item in items}
    assert {"python", "hilgui", "provider cpu", "video decoders", "plug-ins", "free disk"} <= names
    assert not [item for item in items if item.value.startswith("cannot be examined")]
    json.dumps([asdict(item) for item in items])


def test_everything_that_is_not_ok_says_what_to_do():
    assert [item for item in doctor.report() if item.status != "ok" and not item.advice] == []


def test_the_processor_runs_the_probe_model():
    assert provider_probe.probe(["cpu"]) == {"cpu": ""}


def test_the_probe_model_is_the_convolution_it_is_said_to_be():
    box = [1, 1, 3, 3]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "probe",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, box) for name in ("x", "w")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 1])],
    )
    again = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    assert onnx.load_from_string(provider_probe.PROBE_MODEL) == again


def test_a_provider_that_is_not_there_is_named_with_the_reason():
    reasons = provider_probe.probe(["cuda"])
    if not reasons["cuda"]:
        pytest.skip("CUDA works on this machine")
    assert "cuda was asked for" in reasons["cuda"]


def _crash(*_: object) -> None:
    os._exit(66)


def test_a_crash_of_a_provider_becomes_a_reason(monkeypatch):
    monkeypatch.setattr(provider_probe, "_answer", _crash)
    reasons = provider_probe.probe(["cuda", "tensorrt"])
    assert "exit code 66" in reasons["cuda"]
    assert "not tried" in reasons["tensorrt"]


def test_a_look_that_raises_becomes_an_item():
    def look() -> list[doctor.Item]:
        raise OSError("the driver is drunk")

    (item,) = doctor._looked("cameras", look)
    assert (item.status, item.name) == ("warning", "cameras")
    assert "the driver is drunk" in item.value


def test_one_distribution_owns_each_native_module():
    assert [len(doctor.owners_of(module)) for module in ("cv2", "onnxruntime")] == [1, 1]


def test_two_owners_of_a_module_are_reported(monkeypatch):
    monkeypatch.setattr(doctor, "owners_of", lambda module: ["opencv-python", "opencv-python-headless"])
    item = doctor.owners()[0]
    assert item.status == "missing"
    assert "overwrite each other" in item.value
    assert "pip uninstall -y opencv-python opencv-python-headless" in item.advice


def test_a_plugin_that_does_not_load_is_listed_with_its_reason(monkeypatch):
    broken = Plugin("hilgui.frame_sources", "lidar", None, "lidar-pack", "ImportError: no module named ouster")
    monkeypatch.setattr("hilgui.plugins.load", lambda group: {"lidar": broken} if "sources" in group else {})
    items = {item.name: item for item in doctor.plugins()}
    assert "ouster" in items["plug-in frame_sources/lidar"].value
    assert "lidar-pack" in items["plug-in frame_sources/lidar"].advice


def test_a_mistake_in_the_settings_is_an_item(monkeypatch):
    monkeypatch.setenv("HILGUI_PROVIDER", "abacus")
    (item,) = doctor.settings()
    assert item.status == "missing"
    assert "provider" in item.value


def test_little_disk_is_a_warning(monkeypatch):
    usage = type("Usage", (), {"free": 10 * 2**20})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert {item.name: item.status for item in doctor.settings()}["free disk"] == "warning"


def test_missing_libraries_are_read_from_the_loader():
    listing = "\tlinux-vdso.so.1 (0x0)\n\tlibEGL.so.1 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x0)\n"
    assert shared_libraries.not_found(listing + "\tlibEGL.so.1 => not found\n") == ["libEGL.so.1"]


def test_the_command_installs_each_package_once(monkeypatch):
    monkeypatch.setattr(shared_libraries.shutil, "which", lambda tool: tool if tool == "apt-get" else None)
    missing = [
        shared_libraries.Missing(name, shared_libraries.DEBIAN_PACKAGES[name], True)
        for name in ("libxcb-cursor.so.0", "libglib-2.0.so.0", "libgthread-2.0.so.0")
    ]
    assert shared_libraries.install_command(missing) == "sudo apt-get install libglib2.0-0 libxcb-cursor0"


def test_other_systems_are_asked_for_libraries_by_name(monkeypatch):
    monkeypatch.setattr(shared_libraries.shutil, "which", lambda tool: tool if tool == "dnf" else None)
    command = shared_libraries.install_command([shared_libraries.Missing("libEGL.so.1", "libegl1", False)])
    assert command == "sudo dnf install 'libEGL.so.1()(64bit)'"


def test_an_environment_without_wheels_asks_for_no_library(tmp_path: Path):
    assert [one for one in shared_libraries.missing_libraries(tmp_path) if one.name != "a font"] == []
