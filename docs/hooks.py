"""Links of the site that lead out of docs/, into the repository.

On GitHub a page links to `../parity/pairs` as it stands. The site has no such page: there the link
goes to `repo_url` of mkdocs.yml, or becomes plain text where none is given. A link to what is not
in the repository stays as it is, and `mkdocs build --strict` fails on it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[((?:[^\]\[]|\[[^\]]*\])+)\]\(([^)\s#:]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Mend the links of a page; MkDocs calls this."""
    return mend(markdown, page.file.src_uri, config.repo_url or "")


def mend(markdown: str, source: str, repository: str = "") -> str:
    """Return a page whose links out of docs/, or to a folder, lead to the repository.

    Args:
        markdown: the page.
        source: its path below docs/.
        repository: address of the repository's files, or empty.
    """

    def mended(found: re.Match[str]) -> str:
        label, target = found.groups()
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(source), target))
        there = ROOT / path
        page = path.startswith("docs/") and there.is_file() and there.suffix != ".py"
        if page or path.startswith("..") or not there.exists():
            return found.group()
        return f"[{label}]({repository.rstrip('/')}/{path})" if repository else label

    return LINK.sub(mended, markdown)
