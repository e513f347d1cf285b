// Command tfguard says, before `terraform apply`, what the policies of a plan will
// do to the calls that matter.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/cli"
)

// Set by the linker for releases; see cli.Version for builds without it.
var version, commit, date string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := cli.Main(ctx, os.Args[1:], cli.Std(), cli.Version{Version: version, Commit: commit, Date: date})
	stop()
	os.Exit(code)
}
