"""Text from data as it may be shown: what would steer a terminal stands as a symbol.

Labels, ids, file names and whatever else comes from outside may hold characters that
move the cursor, clear the screen, rename the window or turn the direction of writing
round. No such character is printed.
"""

import re

# C0 but tab and line feed, DEL and C1; marks, embeddings, overrides and isolates of
# direction; line and paragraph separators; halves of characters, as undecodable file
# names have them.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return text with a symbol of one column for each character that steers."""
    return _STEERING.sub(_picture, text)


def escape_json(text: str) -> str:
    r"""Return JSON, as `json.dumps` gives it, with `\\uXXXX` for what steers."""
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
