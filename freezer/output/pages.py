"""Pages from templates: self-contained HTML, and Markdown for pull requests."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.output.text import printable, ulps

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_TICKED = re.compile(r"`([^`]+)`")
_PACKAGE = Path(__file__).resolve().parents[1]


def render_page(template: str, **values: object) -> str:
    """Render a template of ``templates/``; in HTML every value is escaped."""
    return _environment().get_template(template).render(**values)


def page_asset(name: str) -> str:
    """Return a file of ``templates/`` as it is, such as a page's style or script."""
    return (_templates() / name).read_text(encoding="utf-8")


def inline_json(value: Any) -> Markup:
    """Return JSON that cannot end the element around it, nor begin a comment in it."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for one in "<>&\u2028\u2029":
        text = text.replace(one, f"\\u{ord(one):04x}")
    return Markup(text)  # noqa: S704 - nothing is left in it that HTML has a meaning for


def inline_hash(text: str) -> str:
    """Return the source expression of a content security policy for an inline element."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def report_style(*more: str) -> tuple[str, str]:
    """Return the style of reports, and the expression that allows it alone in a page's policy.

    ``more`` are further files of ``templates/`` with styles.
    """
    from markupsafe import Markup

    sheet = page_asset("report/style.html.j2").replace("<style>", "").replace("</style>", "")
    style = "\n".join([sheet.strip("\n"), *map(page_asset, more)])
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(style), f"sha256-{digest}"  # noqa: S704 - ours, and in the policy by its digest


def _templates() -> Path:
    installed, checkout = _PACKAGE / "_templates", _PACKAGE.parent / "templates"
    return installed if installed.is_dir() else checkout


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # few commands write a page, and only on request

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_templates()),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["error"] = _error
    environment.filters["ulps"] = _ulps
    environment.filters["ticked"] = _ticked
    return environment


def _ticked(text: object) -> str:
    """Return a text as HTML, with text in backticks as code."""
    from jinja2.filters import do_forceescape, do_mark_safe

    return do_mark_safe(_TICKED.sub(r"<code>\1</code>", str(do_forceescape(str(text)))))


def _error(value: float | None) -> str:
    """Return a relative error as text."""
    if value is None:
        return "not measured"
    return f"{value:.1e}" if value else "0"


def _ulps(value: int | None) -> str:
    """Return a number of units in the last place as text."""
    return "not measured" if value is None else ulps(value)


def _cell(text: object) -> str:
    """Return a text that cannot end a cell of a Markdown table, nor start any markup."""
    plain = printable(str(text))
    return "".join(f"\\{one}" if one in "\\`*_[]<>|#" else one for one in plain)
