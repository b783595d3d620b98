from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from analysis.modelling.fragments import call, identifier, inert, jinja_string, literal, text, wrap

TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.lists(
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "\\", "\r", "\n", "x", " "]), max_size=12
).map("".join)


def rendered(template: str, **context: object) -> str:
    return Environment(keep_trailing_newline=True, autoescape=False).from_string(template).render(**context)


class Echo:
    @staticmethod
    def given(*arguments: object) -> str:
        return repr(arguments)


@given(TEXTS)
def test_jinja_renders_inert_text_back_to_itself(value):
    assert rendered(inert(value)) == value


@given(TEXTS)
def test_a_jinja_string_is_the_text(value):
    assert rendered("{{ " + jinja_string(value) + " }}") == value
    assert "{" not in jinja_string(value)


@given(TEXTS, st.lists(TEXTS, max_size=3))
def test_a_call_hands_its_arguments_over_unchanged(value, path):
    fragment = call("given", wrap("lower(", text(value), ")"), "date", tuple(path))
    assert rendered(fragment.template(), sluice=Echo) == repr((f"lower({value})", "date", path))


@given(TEXTS)
def test_a_call_inside_text_keeps_the_text_around_it(value):
    fragment = wrap(value, call("given", "x"), value)
    assert rendered(fragment.template(), sluice=Echo) == f"{value}('x',){value}"
    assert rendered("{{ " + fragment.expression() + " }}", sluice=Echo) == f"{value}('x',){value}"


def test_only_names_that_need_quotes_get_them():
    assert [identifier(name) for name in ("id", "createdAt", "user", 'a"b', "")] == [
        "id",
        '"createdAt"',
        '"user"',
        '"a""b"',
        '""',
    ]
    assert literal("O'Reilly") == "'O''Reilly'"
