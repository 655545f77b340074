package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"

	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
)

// runCheck waits until the API answers, as the chart's hook does before a release counts as installed.
func runCheck(ctx context.Context, arguments []string) error {
	set := flags("startupapicheck")
	limit := set.Duration("wait", 0, "longest time to wait")
	if err := set.Parse(arguments); err != nil {
		return err
	}
	cluster, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(cluster, os.Getenv("POD_NAMESPACE"))
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 2*time.Second, *limit, true, func(ctx context.Context) (bool, error) {
		last = checker.Check(ctx)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("cert-manager's API does not answer after %s: %w", *limit, last)
	}
	return nil
}
