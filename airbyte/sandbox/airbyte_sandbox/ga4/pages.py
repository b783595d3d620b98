"""The pages of the site and of the shop."""

from dataclasses import dataclass

_WWW, _STORE = "www.sandbox-labs.example", "sandbox-shop.example"


@dataclass(frozen=True)
class Page:
    """One page; `path` has the query too."""

    host: str
    path: str
    title: str


SITE = (
    Page(_WWW, "/", "Sandbox Labs"),
    Page(_WWW, "/pricing", "Pricing"),
    Page(_WWW, "/features", "Features"),
    Page(_WWW, "/blog", "Blog"),
    Page(_WWW, "/blog/a-calmer-inbox?ref=newsletter", "A calmer inbox"),
)
SIGN_UP = Page(_WWW, "/signup", "Sign up")
WELCOME = Page(_WWW, "/welcome", "Welcome")
SHOP = Page(_STORE, "/", "Shop")
CART = Page(_STORE, "/cart", "Your cart")
THANKS = Page(_STORE, "/checkout/thank-you", "Thank you")
# Where people look around, the first ones most often.
BROWSED = (*SITE, *SITE[:2], SITE[0], SHOP, SHOP, Page(_STORE, "/collections/all", "All products"), SIGN_UP, CART)


def product(title: str) -> Page:
    """The page of a product; the shop makes its handle of the title likewise."""
    return Page(_STORE, f"/products/{title.lower().replace(' ', '-')}", title)
