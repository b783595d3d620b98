"""What names in API descriptions mean: the one vocabulary of the draft and of the stand-in."""

import re
import unicodedata


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


SIZES = _names(
    "perpage pagesize limit size count maxresults pagelimit resultsperpage itemsperpage rows top take first num "
    "maxrecords maxitems maxpagesize pagecount"
)
PAGES = _names("page pagenumber pageno pagenum currentpage pageindex p")
OFFSETS = _names("offset skip startat start startindex firstresult pageoffset startrecord")
CURSORS = _names(
    "cursor pagetoken nexttoken nextpagetoken continuationtoken continue after aftercursor pagecursor nextcursor "
    "marker iterator scrollid pageafter startingtoken bookmark paginationtoken offset page nextpage"
)
LAST_RECORDS = _names("startingafter afterid sinceid lastid startafter startafterid")
NEXT_CURSORS = _names(
    "nextcursor nextpagetoken nexttoken cursor next after aftercursor endcursor continuationtoken continue nextpage "
    "iterator nextmarker marker scrollid pagetoken bookmark offset nextoffset paginationtoken"
)
NEXT_LINKS = _names(
    "next nexturl nextpageurl nextpageuri nextlink nextpage nexthref nextpagelink odatanextlink nexturi nextpagehref"
)
HAVE_MORE = _names("hasmore more hasnext hasnextpage moreavailable hasmoreitems")
ENDS = _names("last islast islastpage endofstream end isend done finished complete nomore")
PAGE_COUNTS = _names("totalpages pagecount numpages pagestotal pages lastpage")
TOTALS = _names("total totalcount totalentries totalresults totalitems itemstotal")
LISTS = (
    *("data", "items", "results", "records", "value", "values", "entries", "list", "rows", "elements", "objects"),
    *("content", "collection", "resources", "hits", "nodes", "docs", "result", "response"),
)
ENVELOPES = _names("data meta result response _embedded embedded payload body")
UPDATED = (
    *("updated_at", "updated", "updated_on", "updated_time", "updated_date", "modified_at", "modified", "modified_on"),
    *("last_modified", "last_modified_at", "last_modified_date", "last_updated", "last_updated_at", "date_updated"),
    *("date_modified", "changed_at", "update_time", "modified_time", "modified_date", "last_modified_time"),
)
CREATED = (
    *("created_at", "created", "created_on", "created_time", "creation_date", "created_date", "date_created"),
    *("create_time", "creation_time", "inserted_at", "timestamp", "occurred_at", "event_time"),
)
RESERVED = _names(
    "access_token api_key username password client_id client_secret token_url base_url start_date page_size"
)
LOWER_BOUNDS = ("gte", "ge", "since", "from", "after", "min", "start", "starting", "gt")
EXCLUSIVE_BOUNDS = frozenset(("gt", "after"))


def squeezed(name: str) -> str:
    """Lower case, letters and digits alone: `page[size]`, `pageSize` and `page_size` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def snake(name: str) -> str:
    """A name of ASCII letters, digits and underscores in lower case; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", plain)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def configured(name: str) -> str:
    """What the configuration calls a variable or parameter of the document: never as it calls a secret."""
    plain = snake(name) or "parameter"
    return f"{plain}_parameter" if plain in RESERVED or plain.startswith("api_key") else plain


def singular(noun: str) -> str:
    """The noun of one of them, as far as English endings tell."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if noun.endswith(ending):
            return noun.removesuffix(ending) + instead
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) else noun


def printable(text: str) -> str:
    """The text on one line, without what a terminal would take for a command."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())


def is_plain(text: str) -> bool:
    """Whether a text of the document may stand in a manifest: no template, no line break, no reference."""
    return len(text) <= 500 and not re.search(r"\{\{|\{%|\{#|[\x00-\x1f\x7f]", text) and not text.startswith("#/")
