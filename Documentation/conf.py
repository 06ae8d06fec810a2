# SPDX-License-Identifier: GPL-2.0
# For Sphinx; `make htmldocs` runs it.
import re
from pathlib import Path

here = Path(__file__).resolve().parent
main = (here.parent / "kmod/core/main.c").read_text(encoding="utf-8")

project = "sockloan"
author = "sockloan developers"
copyright = "2026, " + author
version = release = re.search(r'MODULE_VERSION\("(.*)"\)', main).group(1)
html_title = f"sockloan {release}"

html_theme = "alabaster"
html_theme_options = {
    "description": "lends pages to the network",
    "page_width": "70em",
    "fixed_sidebar": True,
}
html_show_sourcelink = False
# Commands and options are what they are.
smartquotes = False
highlight_language = "none"
exclude_patterns = ["man", "syzkaller"]
