"""The web analytics: who visits the site and the shop, from where, and what comes of it."""
