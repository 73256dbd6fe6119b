"""HubSpot CRM: facts in `spec`, pure readings of its answers in `answers`, `errors`
and `values`, the calls in `connector`."""
