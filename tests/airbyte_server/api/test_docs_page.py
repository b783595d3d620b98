"""The page that describes the API works on a machine without a network."""

import re

import httpx


def test_the_page_takes_everything_from_this_server(server):
    page = httpx.get(f"{server.root}/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith(".css") for address in addresses)
    for address in [*addresses, "/openapi.json"]:
        assert address.startswith("/"), f"{address} is another server's"
        assert httpx.get(f"{server.root}{address}").status_code == 200
    assert "//cdn" not in page.text
