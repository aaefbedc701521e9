"""Pages that need no script: what their documents share, the forms that they send, and the language they are in."""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.web.dashboard.words import Words

LANGUAGE_COOKIE = "waiwang_language"
#: Longer forms are not read.
FORM_LIMIT = 4096
DOCUMENT = Template("""\
<!doctype html>
<html lang="$lang">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title · $page_title</title>
<link rel="stylesheet" href="/static/dashboard.css">
</head>
<body class="$kind">
$body</body>
</html>
""")


def plain_page(words: Words, title: str, kind: str, body: str, status: int = 200) -> HTMLResponse:
    """Answer with a document; `title` is a key of the words, `kind` its class in the style sheet, `body` escaped HTML. Nobody keeps it."""
    heading, product = (escape(words(key)) for key in (title, "page_title"))
    html = DOCUMENT.substitute(lang=words.language, title=heading, page_title=product, kind=kind, body=body)
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})


def alarm(words: Words, message: str, **values: object) -> str:
    """Return what went wrong as a banner, nothing for no message; `message` is a key of the words."""
    return f'<p class="banner is-alarm" role="alert">{escape(words(message, **values))}</p>' if message else ""


def other_language(words: Words) -> str:
    """Return the language that a switch leads to."""
    return "zh" if words.language == "en" else "en"


async def read_form(request: Request, *names: str) -> list[str]:
    """Return the fields of a form; those that are missing, and all of a form that is too long, are empty."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_LIMIT:
            return [""] * len(names)
    fields = parse_qs(body.decode("utf-8", "replace"))
    return [fields.get(name, [""])[0] for name in names]


def words_of(request: Request, target: str = "") -> Words:
    """Return the words of the language that this browser chose, or that it comes from."""
    chosen = request.cookies.get(LANGUAGE_COOKIE) or ("en" if target == "/en" else "zh")
    return Words("en" if chosen == "en" else "zh")
