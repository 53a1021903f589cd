"""Where the files are that a catalog names."""

from dataclasses import dataclass
from pathlib import Path

from extauthz.catalog.key_manager_entities import CertificateDocument
from extauthz.document.text import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders of a catalog."""

    folder: Path
    certificates: Path
    """Of certificates that are named by alias."""
    later: Path
    """What the paths of files are relative to that are read later, perhaps by somebody else."""

    def pem(self, document: CertificateDocument) -> str:
        """The text of a certificate.

        Raises:
            DocumentError: its file cannot be read.
        """
        if document.pem is not None:
            return document.pem
        if document.alias is not None:
            return read(self.certificates / f"{document.alias}.pem")
        return read(self.folder / (document.file or ""))

    def path(self, name: str | None) -> str | None:
        """The path of a file that is read later."""
        return None if name is None else str(self.later / name)
