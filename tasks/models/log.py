"""What an engine said, in pieces; gapless by offset."""

from django.db import models

from iacplatform.base import clock
from tasks.models.attempt import Attempt


class LogChunk(models.Model):
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="log_chunks")
    offset = models.PositiveBigIntegerField(help_text="Of its first byte in the attempt's log.")
    data = models.BinaryField()
    at = models.DateTimeField(db_default=clock.DatabaseNow(), help_text="When it arrived.")

    class Meta:
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["attempt", "offset"], name="log_offset_is_unique")]

    def __str__(self) -> str:
        return f"log of attempt {self.attempt_id} from byte {self.offset}"
