"""The loss audit: hand in a loss, learn its effective beta and whether it bounds anything."""

from vaelab.objectives.audit.audit import audit_loss
from vaelab.objectives.audit.report import KLPart, LossAudit, Reduction, Verdict

__all__ = ["KLPart", "LossAudit", "Reduction", "Verdict", "audit_loss"]
