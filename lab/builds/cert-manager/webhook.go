package main

import (
	"context"

	"github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

// runWebhook runs the admission webhook.
func runWebhook(ctx context.Context, arguments []string) error {
	configuration, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	set := flags("webhook")
	options.AddConfigFlags(set, configuration)
	if err := set.Parse(arguments); err != nil {
		return err
	}
	server, err := webhook.NewCertManagerWebhookServer(log(), *configuration)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
