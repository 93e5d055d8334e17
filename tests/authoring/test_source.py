"""Claims about reading the source of a notebook."""

import pytest

from course.authoring.checkout import this_checkout
from course.authoring.make import lessons_with_source
from course.authoring.source import AuthoringError, parse_source, read_source
from tests.authoring.samples import SOURCE

CHECKOUT = this_checkout()
PLACES = [CHECKOUT.source(lesson) for lesson in lessons_with_source(CHECKOUT)]
TITLE = '# %% [markdown] name="title"\n# # A\n\n'


def test_a_cell_has_its_name_tags_text_and_first_line():
    cell = parse_source(SOURCE, "a.py").cells[2]
    assert (cell.name, cell.tags, cell.markdown) == ("your-bend", ("exercise",), False)
    assert cell.text == "from solutions.bend import bend_bwd, bend_fwd"
    assert SOURCE.split("\n")[cell.line - 1] == cell.text


def test_markdown_loses_its_comment_marks_and_no_more():
    source = parse_source('# %% [markdown] name="a"\n# # Title\n#\n# - one\n#   indented\n', "a.py")
    assert source.cells[0].text == "# Title\n\n- one\n  indented"


@pytest.mark.parametrize(
    "text, sentence",
    [
        (TITLE + "# %%\nx = 1\n", 'a.py, line 4: a cell needs a name: `# %% name="see-the-slope"`.'),
        (
            TITLE + '# %% name="a"\nx = 1\n\n# %% name="a"\ny = 1\n',
            'a.py, line 7: the name "a" is taken by the cell on line 4.',
        ),
        (TITLE + '# %% name="A b"\nx\n', 'a.py, line 4: the name "A b" must be small letters, digits and dashes.'),
        (TITLE + '# %% name="a" tags=["exercises"]\nx\n', 'a.py, line 4: there is no tag "exercises"'),
        (TITLE + '# %% [raw] name="a"\nx\n', "a.py, line 4: `[raw]` is not understood"),
        (TITLE + '# %% name="a"\n\n', "a.py, line 4: the cell is empty."),
        (TITLE + '# %% [markdown] name="a"\n# b\nc\n', "a.py, line 6: every line of a markdown cell starts with `# `."),
        ("import jax\n" + TITLE, "a.py, line 1: only cells may stand here"),
        ('# %% name="a"\nx = 1\n', "a.py, line 1: the first cell must be the title"),
    ],
)
def test_a_source_that_is_none_is_told_where_and_what_to_do(text, sentence):
    with pytest.raises(AuthoringError) as told:
        parse_source(text, "a.py")
    assert str(told.value).startswith(sentence)


@pytest.mark.parametrize(
    "text", [SOURCE, *(CHECKOUT.source(a).read_text(encoding="utf-8") for a in lessons_with_source(CHECKOUT))]
)
def test_jupytext_reads_the_same_cells(text):
    import jupytext  # takes seconds

    ours = parse_source(text, "a.py").cells
    theirs = jupytext.reads(text, fmt="py:percent").cells
    assert [(cell.name, cell.text, cell.markdown) for cell in ours] == [
        (cell.metadata["name"], cell.source, cell.cell_type == "markdown") for cell in theirs
    ]


def test_a_source_is_named_with_its_folder(tmp_path):
    place = tmp_path / "notebooks" / "01_a.py"
    place.parent.mkdir()
    place.write_text(TITLE)
    assert read_source(place).file == "notebooks/01_a.py"
