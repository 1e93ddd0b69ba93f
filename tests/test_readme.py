"""The README's commands are those that the checks run."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_ci_runs_the_commands_of_the_readme():
    readme = (ROOT / "README.md").read_text()
    blocks = "\n".join(re.findall(r"```(?:bash|sh)\n(.*?)```", readme, re.DOTALL))
    ci = (ROOT / ".ci" / "run").read_text()
    for command in ('pip install ".[all]" -c constraints.txt',
                    'pip install -e ".[dev]" -c constraints.txt'):
        assert command in blocks
        assert command.replace("pip install", "pip install --quiet") in ci
    for command in ("skelact demo", "pytest"):
        assert command in blocks
        assert command in ci


def test_readme_links_point_to_files():
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", readme)
    assert targets
    for target in targets:
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
