"""Exports name masks by URL: of a file of ours, or of where they are elsewhere.

Masks that came as pixels become files of ours; URLs of ours, which end after a
while, are made anew.
"""

import hashlib
from base64 import b64decode
from urllib.parse import unquote, urlsplit

from reconciler.server.files import Files, Urls, Written, signed_file
from reconciler.server.store.ids import part_ids

NAME = "mask.png"
"""What the file of a mask is called."""

_id_of = part_ids("masks")


class MaskFiles:
    """The masks of one export; equal ones are one file, in every export the same.

    Attributes:
        written: The files by id, which are still to be recorded.
    """

    def __init__(self, files: Files, urls: Urls) -> None:
        self.written: dict[str, Written] = {}
        self._files = files
        self._urls = urls

    def renewed(self, url: str) -> str:
        """Make a URL of ours anew; any other stays what it is."""
        signed = signed_file(url, self._urls.secret)
        if signed is None:
            return url
        name = unquote(urlsplit(url).path.rpartition("/")[2])
        return self._urls.sign(signed[0], name)

    def url(self, png: str) -> str:
        """Bring a mask, in base64, to the disk and give its URL."""
        content = b64decode(png)
        name = hashlib.sha256(content).hexdigest()
        identifier = _id_of(name)
        if identifier not in self.written:
            if self._files.renew(name):
                self.written[identifier] = Written(name, len(content))
            else:
                self.written[identifier] = self._files.write([content])
        return self._urls.sign(identifier, NAME)
