"""Warns and is fine."""

import pulumi

pulumi.log.warn("the certificate expires soon")
