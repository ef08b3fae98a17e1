from django.urls import path

from agents import attempt_api

urlpatterns = [
    path("attempt", attempt_api.Job.as_view(), name="attempt"),
    path("attempt/words", attempt_api.Words.as_view(), name="attempt-words"),
    path("attempt/plan/<str:part>", attempt_api.PlanPartView.as_view(), name="attempt-plan-part"),
]
