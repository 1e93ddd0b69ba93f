"""What `skelact.datasets.validation.validate` reports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ERROR, WARNING = "error", "warning"
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or looks it.

    Args:
        severity: ``"error"`` for a store that must not be used as it is, ``"warning"`` for what
            the user should know.
        check: What was looked at, such as ``"checksum"`` or ``"duplicates"``.
        message: What was found.
        clips: Ids of the clips that it is about; none for the whole store.
    """

    severity: str
    check: str
    message: str
    clips: tuple[str, ...] = ()

    def __str__(self) -> str:
        line = f"{self.severity:<8} {self.check:<18} {self.message}"
        if self.clips:
            more = f", ... ({len(self.clips)} in all)" if len(self.clips) > _SHOWN else ""
            line += f": {', '.join(self.clips[:_SHOWN])}{more}"
        return line


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity == ERROR for finding in findings)


def to_table(findings: Sequence[Finding]) -> str:
    """One line a finding, errors first."""
    if not findings:
        return "no findings: checksums, tables and skeletons are sound"
    return "\n".join(map(str, sorted(findings, key=lambda finding: finding.severity)))
