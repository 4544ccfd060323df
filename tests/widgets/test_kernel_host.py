"""The anywidget host: the module as JupyterLab loads it, with a model like JupyterLab's."""

import json

import pytest

from vaelab.widgets import REGISTRY
from vaelab.widgets._host import module_text, style_text

pytestmark = pytest.mark.parametrize("name", REGISTRY)

# What anywidget gives a module: traits that both sides set, and a place to draw.
LOAD = """async ([text, traits]) => {
    const listeners = {};
    window.saved = [];
    window.model = {
        get: (key) => traits[key],
        set(key, value) { traits[key] = value; listeners[`change:${key}`]?.forEach((f) => f()); },
        save_changes: () => saved.push({ ...traits }),
        on: (event, f) => (listeners[event] ??= []).push(f),
        off: (event, f) => (listeners[event] = listeners[event].filter((g) => g !== f)),
        listening: () => Object.values(listeners).flat().length,
    };
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const module = await import(address);
    window.cleanUp = await module.default.render({ model, el: document.getElementById("place") });
}"""


@pytest.fixture
def page(open_page, name, tmp_path):
    widget = REGISTRY[name]
    path = tmp_path / "lab.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lab</title>'
        f"<style>{style_text(name)}</style>"
        '<body data-jp-theme-light="false"><main><h1>Lab</h1><div id="place"></div></main>',
        encoding="utf-8",
    )
    state = {key: widget.class_traits()[key].default_value for key in widget.state_names}
    traits = {
        **state,
        "_defaults": state,
        "_recorded": widget.recorded(),
        "_data": widget.data(),
        "_problem": "",
    }
    page = open_page(path.as_uri())
    text = module_text(name, widget.script_files)
    page.evaluate(LOAD, [text, json.loads(json.dumps(traits))])
    return page


def test_a_change_in_the_view_is_saved_to_python(page, name) -> None:
    slider = page.locator(".vaelab input[type=range]").first
    slider.focus()
    page.keyboard.press("End")

    (saved,) = page.evaluate("saved")
    changed = {key for key in REGISTRY[name].state_names if saved[key] != saved["_defaults"][key]}
    assert len(changed) == 1
    assert page.evaluate("location.hash") == ""  # JupyterLab's address is its own


# What is to be seen: text and shapes, canvases, and which choice is made.
LOOK = """el => el.innerHTML
    + [...el.querySelectorAll("canvas")].map((c) => c.toDataURL())
    + [...el.querySelectorAll("input")].map((input) => input.value + input.checked)"""


def another_value(default, rule: dict):
    """One that is allowed and not the default."""
    if "bits" in rule:
        return "01" * (rule["bits"] // 2)
    few = rule.get("values") or rule.get("names") or rule.get("examples")
    return next(v for v in reversed(few) if v != default) if few else rule["most"]


def test_a_change_from_python_is_shown(page, name) -> None:
    for key, rule in REGISTRY[name].allowed().items():
        before = page.locator(".vaelab").evaluate(LOOK)
        value = another_value(REGISTRY[name].class_traits()[key].default_value, rule)
        page.evaluate("([key, value]) => model.set(key, value)", [key, value])
        after = page.locator(".vaelab").evaluate(LOOK)
        assert after != before, key
    assert page.evaluate("saved") == []  # an echo would send Python its own change


def test_closing_the_view_lets_the_model_go(page, name) -> None:
    assert page.evaluate("model.listening()") > 0
    page.evaluate("cleanUp()")
    assert page.evaluate("model.listening()") == 0


def test_jupyterlabs_own_keys_leave_the_controls_alone(page, name) -> None:
    """Lab looks for this attribute on the focused element itself."""
    controls = page.locator(".vaelab :is(input, button)")

    assert controls.count() > 0
    assert all(
        control.get_attribute("data-lm-suppress-shortcuts") == "true" for control in controls.all()
    )


def test_the_theme_is_jupyterlabs(page, name) -> None:
    assert page.locator(".vaelab").evaluate("el => getComputedStyle(el).colorScheme") == "dark"
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    assert page.locator(".vaelab").evaluate("el => getComputedStyle(el).colorScheme") == "light"
