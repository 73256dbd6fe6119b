"""A lead: one record per person, and the keys that person is known by."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from crmsync.core.managers import WorkspaceManager
from crmsync.core.models import Workspace
from leads.models.base import Record
from leads.models.company import Company


def lead_label(
    pk: int | None, *, first_name: str, last_name: str, email: str, linkedin_id: str
) -> str:
    """Return what a lead is called: by its name, else by what it is known by."""
    name = f"{first_name} {last_name}".strip()
    return name or email or linkedin_id or f"Lead {pk}"


def lead_linkedin_url(linkedin_id: str) -> str:
    """Return a profile's address, empty without an id."""
    return f"https://www.linkedin.com/in/{linkedin_id}" if linkedin_id else ""


class Lead(Record):
    """A person who may buy."""

    class Status(models.TextChoices):
        """How far the conversation has come."""

        NEW = "new", "New"
        CONTACTED = "contacted", "Contacted"
        REPLIED = "replied", "Replied"
        QUALIFIED = "qualified", "Qualified"
        CUSTOMER = "customer", "Customer"
        LOST = "lost", "Lost"

    email = models.CharField("e-mail", max_length=254, blank=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    phone = models.CharField("phone (E.164)", max_length=40, blank=True)
    linkedin_id = models.CharField("LinkedIn id", max_length=200, blank=True)
    job_title = models.CharField(max_length=200, blank=True)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads"
    )
    company_name = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NEW)
    score = models.IntegerField(default=0)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="leads",
    )
    source = models.CharField(max_length=60, blank=True)
    last_reply_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="lead_newest"),
            models.Index(fields=["workspace", "-score", "-id"], name="lead_hottest"),
            models.Index(
                fields=["workspace", "-last_activity_at", "-id"], name="lead_liveliest"
            ),
            models.Index(fields=["workspace", "phone"], name="lead_phone"),
        ]

    def __str__(self) -> str:
        return lead_label(
            self.pk,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            linkedin_id=self.linkedin_id,
        )

    @property
    def linkedin_url(self) -> str:
        """Return the profile's address, empty without a LinkedIn id."""
        return lead_linkedin_url(self.linkedin_id)

    def get_absolute_url(self) -> str:
        """Return the page of the lead."""
        return reverse("lead", args=[self.pk])


class LeadKey(models.Model):
    """One thing only this person has; two leads can never share a key."""

    class Kind(models.TextChoices):
        """What the value is."""

        EMAIL = "email", "E-mail"
        LINKEDIN = "linkedin", "LinkedIn id"
        EXTERNAL = "external", "Id in a source"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_index=False)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=254)
    # Left behind by a change: still this lead's, until another lead is given it.
    former = models.BooleanField(default=False)

    objects = WorkspaceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "value"], name="one_lead_per_key"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"
