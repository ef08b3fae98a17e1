"""What an agent said of the end of an attempt that was over by then: kept for people, it moves nothing."""

from django.db import models

from iacplatform.base import clock
from tasks.models.attempt import Attempt


class LateResult(models.Model):
    attempt = models.OneToOneField(Attempt, on_delete=models.CASCADE, primary_key=True, related_name="late_result")
    outcome = models.CharField(max_length=20)
    exit_code = models.IntegerField()
    seconds = models.FloatField()
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    at = models.DateTimeField(db_default=clock.DatabaseNow(), help_text="When it arrived.")

    def __str__(self) -> str:
        return f"{self.outcome}, said late of attempt {self.attempt_id}"
