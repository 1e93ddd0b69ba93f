"""Options are written out, in every command; one that there is not names the nearest."""

import pytest

from skelact.cli.main import COMMANDS, main
from skelact.cli.parser import CommandParser

WRONG = [
    ("pose a.mp4 --overla", "--overlay"),
    ("recognize a.mp4 --mod b", "--model"),
    ("show a --contact", "--contact-sheet"),
    ("data prepare a --raw b -o c --over", "--overwrite"),
    ("data info a --plo b", "--plot"),
    ("data validate a --hel", "--help"),
    ("data convert a -o b --spl c", "--split"),
    ("data review a -o b --spl c", "--split"),
    ("data apply a b -o c --over", "--overwrite"),
    ("train custom --optim.epoch 3", "--optim.epochs"),
    ("train custom --optim.ep=3", "--optim.epochs"),
    ("train --optm.lr 0.1 custom", "--optim.lr"),
    ("evaluate --data a --prec bf16", "--precision"),
    ("cross-domain --train a --test b --seed 1 --optim.epoch 3", "--optim.epochs"),
    ("robustness --data a -o b --sever c", "--severities"),
    ("models list --lay a", "--layout"),
    ("models show a --lay b", "--layout"),
    ("models convert a --layout ntu25 -o b --clip.frame 3", "--clip.frames"),
    ("models export a -o b --over", "--overwrite"),
    ("demo --over", "--overwrite"),
]


def error_of(words: str, capsys) -> str:
    """What a command says that ends with exit code 2, in one line."""
    with pytest.raises(SystemExit) as stopped:
        main(words.split())
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    return line


def test_no_command_is_left_out():
    assert {words.split()[0] for words, _ in WRONG} == set(COMMANDS)


@pytest.mark.parametrize(("words", "meant"), WRONG)
def test_a_shortened_option_is_refused(words, meant, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    line = error_of(words, capsys)
    assert "unrecognized arguments: --" in line
    assert f"(did you mean '{meant}'?)" in line
    assert not list(tmp_path.iterdir())


@pytest.fixture
def parser() -> CommandParser:
    made = CommandParser("try")
    made.add_argument("words", nargs="*")
    made.add_argument("-o", "--output")
    made.add_argument("--overwrite", action="store_true")
    made.add_argument("--start", type=int, default=0)
    made.add_argument("--stride", type=int, default=1)
    return made


@pytest.mark.parametrize("words", [["-o", "x"], ["-ox"], ["--output=x"], ["--output", "x"]])
def test_what_is_written_out_passes(parser, words):
    options = parser.parse_args(["a", *words, "--start", "-3"])
    assert (options.words, options.output, options.start) == (["a"], "x", -3)


def test_a_dash_too_few_is_no_short_option_with_its_value(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["-overwrite"])
    assert "-overwrite (did you mean '--overwrite'?)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["a", "-output=x"])
    assert "(did you mean '--output'?)" in capsys.readouterr().err


def test_what_is_like_nothing_gets_no_hint(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--background", "x"])
    assert "did you mean" not in capsys.readouterr().err


def test_the_nearest_of_several_that_begin_alike(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--str", "3"])
    assert "(did you mean '--stride'?)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--st", "3"])
    assert "(did you mean '--start'?)" in capsys.readouterr().err
