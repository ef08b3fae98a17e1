from django.urls import path

from agents import attempt_api

urlpatterns = [
    path("attempt", attempt_api.Job.as_view(), name="attempt"),
    path("attempt/words", attempt_api.Words.as_view(), name="attempt-words"),
    path("attempt/configuration/manifest", attempt_api.ManifestView.as_view(), name="attempt-manifest"),
    path(
        "attempt/configuration/<int:number>",
        attempt_api.ConfigurationPartView.as_view(),
        name="attempt-configuration-part",
    ),
    path("attempt/plan/<str:part>", attempt_api.PlanPartView.as_view(), name="attempt-plan-part"),
]
