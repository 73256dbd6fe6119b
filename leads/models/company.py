"""A company: one record per domain."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from leads.models.base import Record


class Company(Record):
    """An organisation people work for."""

    name = models.CharField(max_length=200, blank=True)
    domain = models.CharField(max_length=253, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    city = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "domain"],
                condition=~models.Q(domain=""),
                name="one_company_per_domain",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-id"], name="company_newest")]

    def __str__(self) -> str:
        return self.name or self.domain

    def get_absolute_url(self) -> str:
        """Return the page of the company."""
        return reverse("company", args=[self.pk])
