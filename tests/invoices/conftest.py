"""Documents alone: what mails do with a change is tested elsewhere."""

import pytest


@pytest.fixture(autouse=True)
def only_documents(settings):
    settings.CONSEQUENCE_PLANNERS = ("invoices.planner.plan_documents",)
