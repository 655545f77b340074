"""Says that something is wrong and goes on."""

import pulumi

pulumi.log.warn("the certificate expires soon")
pulumi.log.error("no certificate")
pulumi.ComponentResource("test:index:Part", "a")
