"""What a request's path names: the organisation, a repository by name or number, a pull request."""

from airbyte_sandbox.github.contents import Contents, Repository, contents
from airbyte_sandbox.github.records import ORGANISATION, ORGANISATION_ID
from airbyte_sandbox.github.refusals import missing
from airbyte_sandbox.schema import Record
from airbyte_sandbox.server.api import Call


def organisation_of(call: Call) -> Contents:
    """The organisation; another one is not found."""
    asked = call.path_parameters
    if asked.get("organisation", ORGANISATION).lower() != ORGANISATION:
        raise missing()
    if asked.get("organisation_id", str(ORGANISATION_ID)) != str(ORGANISATION_ID):
        raise missing()
    return contents(call.account.world)


def repository_of(call: Call) -> Repository:
    """The repository; names may be written in capitals too, as with GitHub."""
    found = contents(call.account.world).repositories
    asked = call.path_parameters
    if "repository_id" in asked:
        named = (one for one in found.values() if str(one.shown["id"]) == asked["repository_id"])
    else:
        name = f"{asked['owner']}/{asked['repository']}".lower()
        named = (one for one in found.values() if one.shown["full_name"] == name)
    repository = next(named, None)
    if repository is None:
        raise missing()
    return repository


def numbered(call: Call, stream: str) -> Record:
    """The issue or pull request of the number in the path."""
    shown = repository_of(call).lists[stream]
    found = next((one for one in shown if str(one["number"]) == call.path_parameters["number"]), None)
    if found is None:
        raise missing()
    return found


def numbered_path(call: Call) -> str:
    """The path with numbers in place of names, as GitHub writes it in links."""
    parts = call.path.split("/")
    if parts[1] == "orgs":
        return "/".join(["", "organizations", str(ORGANISATION_ID), *parts[3:]])
    if parts[1] == "repos":
        return "/".join(["", "repositories", str(repository_of(call).shown["id"]), *parts[4:]])
    return call.path
