"""The back office as an admin site."""

from django.contrib.admin import AdminSite


class BackOfficeSite(AdminSite):
    pass
