"""The suite about itself: how many attacks there are, and that each has a control that shows it would notice."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(set(HERE.glob("test_hostile_*.py")) - {Path(__file__)})
LEAST = 40


def attacks(file: Path) -> list[ast.FunctionDef]:
    return [
        node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def test_there_are_enough_attacks_even_if_each_is_counted_once_for_all_its_cases():
    assert sum(len(attacks(file)) for file in FILES) >= LEAST


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_attack_is_held_to_have_a_control(file):
    without = [each.name for each in attacks(file) if "attack" not in [argument.arg for argument in each.args.args]]
    assert not without, "These tests take no fixture `attack`, which fails where no control was run."


def test_an_attack_without_a_control_fails(attack):
    made = type(attack)()
    with pytest.raises(AssertionError, match="attacked nothing"):
        made.verify()
    attack.harmless(True)
    with pytest.raises(AssertionError, match="no positive control"):
        attack.verify()
    attack.witnessed(True)
    attack.verify()
