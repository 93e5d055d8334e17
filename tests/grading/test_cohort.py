"""What holds for a class: who handed in what, what a crash leaves, and that the same work gets the same grade."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from course.cli import main
from course.grading.cohort.gradebook import table
from course.grading.cohort.ledger import Circumstances, Ledger, OtherLedger
from course.grading.cohort.packing import MANIFEST, BadPack, digest_of, pack, unpack
from course.grading.cohort.roster import Handed, read_roster
from course.grading.cohort.seeds import secret_in, seed_of
from tests.grading.students import notebook, plain

ROOT = Path(__file__).resolve().parents[2]
ANSWER = (ROOT / "solutions" / "linear_and_activations.py").read_text(encoding="utf-8")
NAMES = ["relu_fwd", "relu_bwd", "linear_and_activations.q1"]
HERE = Circumstances(("a.b",), b"secret", "name", "0.0")


@pytest.fixture
def roster(tmp_path):
    def read():
        unpacked = tmp_path / "unpacked"
        unpacked.mkdir(exist_ok=True)
        return {one.student: one for one in read_roster(tmp_path / "in", unpacked, NAMES)}

    (tmp_path / "in").mkdir()
    return read


def test_every_kind_of_submission_is_read(roster, tmp_path):
    plain(tmp_path / "in" / "ada.py", ANSWER)
    notebook(tmp_path / "in" / "bob.ipynb", ANSWER)
    plain(tmp_path / "in" / "cyd" / "any.py", ANSWER)
    plain(tmp_path / "work" / "own.py", ANSWER)
    pack(tmp_path / "work", tmp_path / "in" / "dan.handgrad.zip")
    found = roster()
    assert list(found) == ["ada", "bob", "cyd", "dan"]
    assert not any(one.problem for one in found.values())
    assert all(len(one.digest) == 64 for one in found.values())


ODD = {
    "fay.docx": (b"", "is no notebook, Python file, pack or folder"),
    "gus.py": (b"def f(): pass\n", "defines nothing that is asked for"),
    "hal.py": (b"\xff\xfe", "not text in UTF-8"),
    "ian.ipynb": (b"{", "not a notebook"),
    "jan.zip": (b"PK", "can't be unpacked"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_can_t_be_judged_is_named_with_the_reason(name, roster, tmp_path):
    content, reason = ODD[name]
    (tmp_path / "in" / name).write_bytes(content)
    (one,) = roster().values()
    assert one.student == name.partition(".")[0]
    assert reason in one.problem
    assert str(tmp_path) not in one.problem


def test_work_that_python_can_t_read_is_graded_and_pointed_out(roster, tmp_path):
    plain(tmp_path / "in" / "ada.py", "def affine_fwd(x, w, b):\n    return return x\n")
    found = roster()["ada"]
    assert not found.problem
    assert "SyntaxError" in found.remark


def test_who_hands_in_twice_is_asked_which_one_counts(roster, tmp_path):
    plain(tmp_path / "in" / "ada.py", ANSWER)
    plain(tmp_path / "in" / "ada" / "work.py", ANSWER + "# later\n")
    assert "handed in twice, differently (ada and ada.py)" in roster()["ada"].problem


def test_the_same_work_of_two_is_pointed_out_and_graded(roster, tmp_path):
    for name in ("ada", "bob"):
        plain(tmp_path / "in" / f"{name}.py", ANSWER)
    found = roster()
    assert found["ada"].remark == "the same, to the last byte, as bob"
    assert not found["ada"].problem


def answers(*draws):
    """A submission that starts relu, and answers some draws."""
    return "def relu_fwd(x): ...\n" + "".join(
        f'course.answer("losses.q{i}", "b{draw}")\n' for i, draw in enumerate(draws)
    )


def test_draws_that_two_answer_are_pointed_out_and_those_of_one_are_not(roster, tmp_path):
    for name, draws in {"ada": (11, 11), "bob": (12,), "cyd": (11,), "dan": (13,), "eve": ()}.items():
        plain(tmp_path / "in" / f"{name}.py", f"# {name}\n{answers(*draws)}")
    found = {name: one.remark for name, one in roster().items()}
    assert found["ada"] == "answers draw 11, as cyd"
    assert found["cyd"] == "answers draw 11, as ada"
    assert (found["bob"], found["dan"], found["eve"]) == ("", "", "")


def test_where_most_answer_the_draw_of_the_hand_out_the_others_are_pointed_out(roster, tmp_path):
    for name, draw in {"ada": 2027, "bob": 2027, "cyd": 2027, "dan": 5}.items():
        plain(tmp_path / "in" / f"{name}.py", f"# {name}\n{answers(draw)}")
    found = {name: one.remark for name, one in roster().items()}
    assert found == {"ada": "", "bob": "", "cyd": "", "dan": "answers draw 5, most answer 2027"}


def test_a_pack_holds_notebooks_and_python_files_alone_and_is_the_same_each_time(tmp_path):
    plain(tmp_path / "work" / "a.py", ANSWER)
    notebook(tmp_path / "work" / "sub" / "b.ipynb", "x = 1")
    plain(tmp_path / "work" / "secret.txt", "no")
    plain(tmp_path / "work" / ".hidden.py", "no")
    assert pack(tmp_path / "work", tmp_path / "one.zip") == ("a.py", "sub/b.ipynb")
    pack(tmp_path / "work", tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "one.zip", tmp_path / "out")
    assert digest_of(tmp_path / "out") == digest_of(tmp_path / "work")
    manifest = json.loads(zipfile.ZipFile(tmp_path / "one.zip").read(MANIFEST))
    assert manifest["schema"] == 1
    assert list(manifest["files"]) == ["a.py", "sub/b.ipynb"]


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py", "c:\\out.py", "..\\out.py"])
def test_a_pack_that_reaches_outside_is_refused(name, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x = 1")
    (tmp_path / "in").mkdir()
    with pytest.raises(BadPack, match="outside"):
        unpack(tmp_path / "bad.zip", tmp_path / "in")
    assert not list(tmp_path.rglob("out.py"))


def test_a_pack_that_swells_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.py", bytes(60 << 20))
    with pytest.raises(BadPack, match="holds more"):
        unpack(tmp_path / "bad.zip", tmp_path)


def test_seeds_hang_on_the_secret_the_work_and_the_exercise(tmp_path):
    key = secret_in(tmp_path / "secret")
    assert secret_in(tmp_path / "secret") == key
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    seeds = [seed_of(*parts) for parts in [(key, "a", "x"), (b"other", "a", "x"), (key, "b", "x"), (key, "a", "y")]]
    assert len(set(seeds)) == 4
    assert seed_of(key, "a", "x") == seeds[0]
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_ledger_goes_on_where_a_crash_cut_it_short(tmp_path):
    place = tmp_path / "grades.jsonl"
    ledger = Ledger(place, HERE)
    for name in ("ada", "bob"):
        ledger.add({"student": name, "submission_hash": name, "exercises": []})
    whole = place.read_bytes()
    place.write_bytes(whole[:-7])
    ledger = Ledger(place, HERE)
    assert ledger.has("ada", "ada")
    assert not ledger.has("bob", "bob")
    ledger.add({"student": "bob", "submission_hash": "bob", "exercises": []})
    assert place.read_bytes() == whole


def test_work_that_changed_is_not_graded_yet(tmp_path):
    ledger = Ledger(tmp_path / "grades.jsonl", HERE)
    ledger.add({"student": "ada", "submission_hash": "old", "exercises": []})
    assert not ledger.has("ada", "new")


def test_grades_made_otherwise_are_not_mixed(tmp_path):
    Ledger(tmp_path / "grades.jsonl", HERE)
    with pytest.raises(OtherLedger, match="secret_hash"):
        Ledger(tmp_path / "grades.jsonl", Circumstances(HERE.exercises, b"another", "name", "0.0"))


def test_a_name_is_no_formula_in_the_table():
    rows = list(csv.reader(io.StringIO(table([Handed("=1+1", Path("x"), problem="odd")], {}, ["a.b"]))))
    assert rows[1][0] == "'=1+1"
    assert rows[1][-1] == "odd"


def test_pack_makes_the_file_and_refuses_a_name_that_is_a_path(tmp_path, monkeypatch, capsys):
    plain(tmp_path / ".handgrad.json", "{}")
    plain(tmp_path / "mine.py", ANSWER)
    monkeypatch.chdir(tmp_path)
    assert main(["pack", "ada"]) == 0
    assert (tmp_path / "ada.handgrad.zip").exists()
    assert "holds mine.py" in capsys.readouterr().out
    assert main(["pack", "../ada"]) == 2


CLASS = {
    "ada": ANSWER,
    "bob": ANSWER.replace("x_bar = y_bar @ w.T", "x_bar = -y_bar @ w.T"),
    "cyd": ANSWER.replace("    return (y_bar * (1 - y**2),)", "    import jax\n    return jax.vjp(tanh, y)[1](y_bar)"),
    "dan": ANSWER.replace("    return (y_bar * (1 - y**2),)", "    while True:\n        pass"),
    "eve": ANSWER.replace("relu(x), x > 0", "undefined"),
    "fay": "import jax\n"
    + ANSWER.replace(
        "jnp.where(positive, y_bar, 0)",
        "jax.lax.while_loop(lambda v: v[0] < 2, lambda v: (1 - v[0], -v[1]), (0, y_bar))[1]",
    ),
}
"""Right, wrong, hostile and broken: a sign, a route, an endless trace, an unknown name, an endless program."""


def grading(folder, *more):
    program = "import sys; from course.cli import main; sys.exit(main())"
    return [
        *(sys.executable, "-c", program, "grade", str(folder / "in"), "--csv", str(folder / "out" / "grades.csv")),
        *("--feedback", str(folder / "out" / "pages"), "--lesson", "linear_and_activations", "--seconds", "8", *more),
    ]


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_results(tmp_path):
    for name, text in CLASS.items():
        plain(tmp_path / "in" / f"{name}.py", text)
    plain(tmp_path / "in" / "zed.docx", "x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "grades.secret").write_text("known\n", encoding="ascii")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    begun = subprocess.Popen(grading(tmp_path), env=environment, start_new_session=True, stdout=subprocess.DEVNULL)
    ledger = tmp_path / "out" / "grades.jsonl"
    while not (ledger.exists() and len(ledger.read_bytes().splitlines()) > 2):
        assert begun.poll() is None
        time.sleep(0.1)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    kept = ledger.read_bytes()

    done = subprocess.run(grading(tmp_path), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert ledger.read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])
    assert "zed: not graded: zed.docx is no notebook" in done.stdout.splitlines()[0]
    resumed = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8")
    pages = {page.name: page.read_bytes() for page in (tmp_path / "out" / "pages").iterdir()}

    for file in ("grades.csv", "grades.jsonl"):
        (tmp_path / "out" / file).unlink()
    subprocess.run(grading(tmp_path, "--workers", "1"), env=environment, check=True, capture_output=True)
    assert (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8") == resumed
    assert {page.name: page.read_bytes() for page in (tmp_path / "out" / "pages").iterdir()} == pages

    lines = (json.loads(line) for line in ledger.read_bytes().splitlines()[1:])
    told = {line["student"]: {t["verdict"]["exercise"]: t["verdict"] for t in line["exercises"]} for line in lines}

    def status(student, exercise):
        return told[student][f"linear_and_activations.{exercise}"]["status"]

    assert {status("ada", name) for name in ("relu", "sigmoid", "tanh", "affine", "q1")} == {"right"}
    assert status("bob", "affine") == "wrong"
    assert status("cyd", "tanh") == "refused"
    assert status("dan", "tanh") == "stopped"
    assert status("eve", "relu") == "broken"
    assert status("fay", "relu") == "stopped"
    assert {status(student, "sigmoid") for student in CLASS} == {"right"}
    assert re.search(r"zed,,0,0,0,0,", resumed)
