// Command cert-manager is cert-manager in one program: controller, webhook, cainjector or startupapicheck, by its first
// argument. Only the issuers `ca` and `selfSigned` are in it, and no leader is elected: the lab runs one of each.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

var parts = map[string]func(context.Context, []string) error{
	"controller":      runController,
	"webhook":         runWebhook,
	"cainjector":      runInjector,
	"startupapicheck": runCheck,
}

func main() {
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: cert-manager controller|webhook|cainjector|startupapicheck [flags]"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(log())
	if err := parts[os.Args[1]](logf.NewContext(ctx, log()), os.Args[2:]); err != nil {
		fail(err)
	}
}

func log() logr.Logger { return klog.Background() }

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// flags returns a set that takes whatever the chart passes and this program has no use for.
func flags(part string) *pflag.FlagSet {
	set := pflag.NewFlagSet(part, pflag.ContinueOnError)
	set.ParseErrorsAllowlist.UnknownFlags = true
	return set
}
