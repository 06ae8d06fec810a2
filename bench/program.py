# SPDX-License-Identifier: GPL-2.0
"""How the programs end."""

import sys


def run(name, main, failure):
    """Ends with what main() returns, or says which @failure it was"""
    try:
        sys.exit(main())
    except failure as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
