"""The catalogue: every built-in loads, a broken stranger is listed and harms nobody."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from hilgui import plugins


@pytest.mark.parametrize("group", plugins.GROUPS)
def test_every_built_in_loads(group: str) -> None:
    loaded = plugins.load(group)
    assert loaded
    assert {name: plugin.reason for name, plugin in loaded.items() if plugin.reason} == {}


def test_a_plugin_that_does_not_import_is_listed_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    good = EntryPoint("good", "pathlib:Path", "hilgui.test")
    bad = EntryPoint("bad", "no_such_module_anywhere:Thing", "hilgui.test")
    monkeypatch.setattr(plugins, "entry_points", lambda group: (good, bad))
    plugins.load.cache_clear()
    try:
        assert set(plugins.working("hilgui.test")) == {"good"}
        assert "no_such_module_anywhere" in plugins.load("hilgui.test")["bad"].reason
    finally:
        plugins.load.cache_clear()
