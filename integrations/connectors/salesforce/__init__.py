"""Salesforce: facts in `spec`, pure readings of its answers in `answers`, `errors` and
`values`, queries in `soql`, the calls in `connector`."""
