from analysis.errors import PermanentError


def test_keys_follow_the_sentence():
    assert str(PermanentError("There is no such tenant.", tenant="acme")) == "There is no such tenant. (tenant='acme')"


def test_a_quoted_sentence_keeps_its_own_keys_and_gets_no_second_bracket():
    quoted = PermanentError("The line is no JSON.", line=4)
    error = PermanentError(f"Airbyte answered 422: {quoted}", status=422)
    assert str(error) == "Airbyte answered 422: The line is no JSON. (line=4)"
    assert error.keys == {"status": 422}
