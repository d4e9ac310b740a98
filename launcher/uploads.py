"""The files uploaded for a run that is not stored yet: where they lie, who may use them, and for how long."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.core.files.uploadedfile import UploadedFile

from launcher.models import Run
from launcher.output.store import Spool, prune_spools

UPLOADS_TOKEN = "launcher_uploads"  # noqa: S105  a field's name
UPLOAD_KEEP_SECONDS = 24 * 3600


class Uploads:
    """The files uploaded for a run that is not stored yet; they lie in the spool under the uid it will have."""

    def __init__(self, uid: UUID) -> None:
        self.uid = uid
        self._folder = Spool(uid).uploads_path

    @classmethod
    def from_token(cls, token: str, user: Any) -> Uploads:
        """Return the files of the user's last try, or a new empty place for a forged, foreign, old or used token."""
        try:
            said = signing.loads(token, salt=UPLOADS_TOKEN, max_age=UPLOAD_KEEP_SECONDS)
        except signing.BadSignature:
            return cls(uuid4())
        uid = UUID(said["uid"])
        if said["user"] != str(user.pk) or Run.objects.filter(uid=uid).exists():
            return cls(uuid4())
        return cls(uid)

    def token(self, user: Any) -> str:
        """Return the text by which the same user's next try finds the files."""
        return signing.dumps({"uid": self.uid.hex, "user": str(user.pk)}, salt=UPLOADS_TOKEN)

    def store(self, name: str, file: UploadedFile[Any], *more: UploadedFile[Any]) -> Path:
        """Write files and return the first one's path; what was stored before for the argument gives way.

        Raises OSError.
        """
        prune_spools()
        Spool(self.uid).make()
        folder = self._folder_of(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        os.utime(self._folder.parent)  # another day from now
        first, *_others = [self._write(folder, each) for each in (file, *more)]
        return first

    def _write(self, folder: Path, file: UploadedFile[Any]) -> Path:
        name = _safe_name(file.name or "")
        path = folder / name
        for number in itertools.count(2):
            if not path.exists():
                break
            path = folder / f"{number}-{name}"
        try:
            with path.open("wb") as target:
                for piece in file.chunks():
                    target.write(piece)
        except OSError:  # half a file must not be taken for the whole on the next try
            path.unlink(missing_ok=True)
            raise
        return path

    def kept(self, name: str) -> list[Path]:
        """Return the files stored for an argument on this try or an earlier one, in the order they came in."""
        try:
            return sorted(self._folder_of(name).iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))
        except OSError:  # most likely there is none
            return []

    def _folder_of(self, name: str) -> Path:
        # Names of arguments hold any character, and no two of them may share a folder.
        return self._folder / re.sub(r"\W", lambda found: f"-{ord(found[0]):x}", name)

    @property
    def has_any(self) -> bool:
        """Whether a file was stored."""
        return os.path.isdir(self._folder)  # unlike Path's, False where the spool can't be read


def _safe_name(name: str) -> str:
    """Return a file name without a path and without characters that make trouble on a command line."""
    base = os.path.basename(name.replace("\\", "/"))
    safe = re.sub(r"[^\w.()+-]", "_", base).encode()[-150:].decode(errors="ignore")  # file systems count bytes
    return safe.lstrip(".-") or "upload"
