"""A started lesson in JupyterLab, as a learner meets it: run, answer wrongly, be told more each time, and be right.

Asked for with `-m browser`; needs playwright and an installed Chromium. Pictures are kept under `--basetemp`.
"""

import pytest

from course.authoring.start import start
from tests.browser.lab import CHROMIUM, QUIET, Notebook, lab

pytestmark = pytest.mark.browser

LESSON = "linear_and_activations"
RIGHT = """def affine_fwd(x, w, b):
    return x @ w + b, (x, w)


def affine_bwd(residuals, y_bar):
    x, w = residuals
    return y_bar @ w.T, x.T @ y_bar, y_bar.sum(0)
"""
WRONG = RIGHT.replace("y_bar.sum(0)", "y_bar.mean(0)")
MORE_EACH_TIME = ("b_bar is wrong", "Every number is 1/7 times", "What the rows send to b was averaged")
NEVER_RUN = """def relu_fwd(x):
    return x, x


def relu_bwd(residuals, y_bar):
    return (y_bar,)
"""
SHOWN = "[data-status={}]"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("needs an installed Chromium")
    folder, home = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("home")
    name = next(made for made in start(folder).made if LESSON in made)
    with lab(folder, home) as address, playwright.sync_playwright() as machine:
        browser = machine.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield Notebook(browser, address, name)
        browser.close()


def test_a_learner_is_told_more_with_every_try_until_it_is_right(notebook, pictures):
    notebook.run_all()
    checked = notebook.run("check-affine")
    checked.locator(SHOWN.format("not_started")).wait_for()
    notebook.picture(pictures / "1_not_started.png")
    for number, told in enumerate(
        ("b_bar is wrong", "Every number is 1/7 times", "What the rows send to b was averaged")
    ):
        notebook.write("your-affine", WRONG.replace("= residuals", f"= residuals  # try {number}"))
        notebook.run("your-affine")
        card = notebook.run("check-affine").locator(SHOWN.format("wrong"))
        card.get_by_text(told).first.wait_for()
        assert ("averaged" in card.first.inner_text()) == (number == 2)
        notebook.picture(pictures / f"2_wrong_{number}.png")

    notebook.write("your-affine", RIGHT)
    notebook.run("your-affine")
    notebook.run("check-affine").locator(SHOWN.format("right")).wait_for()
    notebook.picture(pictures / "3_right.png")


def test_a_cell_that_was_changed_and_saved_and_not_run_is_told(notebook, pictures):
    notebook.write("your-relu", NEVER_RUN)
    notebook.save()
    notebook.run("check-relu").locator("text=as saved, holds another relu_fwd and relu_bwd").wait_for()
    notebook.picture(pictures / "4_changed.png")


def test_nothing_leaves_the_machine_and_no_page_fails(notebook):
    assert notebook.strange == []
