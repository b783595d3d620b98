"""The people who run the company: they develop, sell and answer, with the same addresses in every tool."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colleague:
    """One of the team, who was there before the first day."""

    number: int
    login: str
    """The name in the code host."""
    last_name: str
    job: str

    @property
    def first_name(self) -> str:
        """Also the name in the code host, capitalised."""
        return self.login.title()

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def email(self) -> str:
        """The same everywhere."""
        return f"{self.login}@sandbox-labs.example"


TEAM = (
    Colleague(0, "ashby", "Lindqvist", "Head of product"),
    Colleague(1, "birte", "Sommer", "Support engineer"),
    Colleague(2, "corin", "Vale", "Account executive"),
    Colleague(3, "devika", "Rao", "Support engineer"),
    Colleague(4, "esben", "Holt", "Account executive"),
    Colleague(5, "farrah", "Aziz", "Customer success"),
)
