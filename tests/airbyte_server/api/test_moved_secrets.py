"""A destination that is pointed at another server by somebody who has a token, but not its password."""

import psycopg


def test_a_password_that_comes_back_masked_is_not_sent_to_another_host(workshop):
    path = f"/destinations/{workshop.destination_id}"
    shown = workshop.client.get(path).json()
    elsewhere = {**shown["configuration"], "host": "127.0.0.2"}
    for answered in (
        workshop.client.put(path, json={"name": shown["name"], "configuration": elsewhere}),
        workshop.client.patch(path, json={"configuration": {"host": "127.0.0.2"}}),
        workshop.client.patch(path, json={"configuration": {"port": 1}}),
    ):
        assert answered.status_code == 422
        assert "give its password anew" in answered.json()["detail"]
    assert workshop.client.get(path).json() == shown
    password = psycopg.conninfo.conninfo_to_dict(workshop.server.loader_url)["password"]
    told = {**elsewhere, "password": password}
    assert workshop.client.put(path, json={"name": shown["name"], "configuration": told}).status_code == 200
    assert workshop.client.get(path).json()["configuration"]["host"] == "127.0.0.2"
