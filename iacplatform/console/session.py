"""Coming in and going out."""

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpResponse

from iacplatform.base import clock


class Login(AuthenticationForm):
    """Name and password; one sentence for whatever is wrong, so that it tells nobody which names exist."""

    error_messages = {
        "invalid_login": "Name or password is wrong. Both count upper and lower case.",
        "inactive": "Name or password is wrong. Both count upper and lower case.",
    }


class _LoginPage(views.LoginView):
    form_class = Login
    template_name = "console/login.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Return the form again, the name kept, as a refusal."""
        answer = self.render_to_response(self.get_context_data(form=form, now=clock.now()))
        answer.status_code = 401
        return answer


login = _LoginPage.as_view()
logout = views.LogoutView.as_view()
