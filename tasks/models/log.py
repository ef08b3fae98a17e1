"""What an engine said, in pieces; gapless by offset."""

from django.db import models

from tasks.models.attempt import Attempt


class LogChunk(models.Model):
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="log_chunks")
    offset = models.PositiveBigIntegerField(help_text="Of its first byte in the attempt's log.")
    data = models.BinaryField()

    class Meta:
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["attempt", "offset"], name="log_offset_is_unique")]

    def __str__(self) -> str:
        return f"log of attempt {self.attempt_id} from byte {self.offset}"
