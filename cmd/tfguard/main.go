// Command tfguard says, before `terraform apply`, what the policies of a plan will
// do to the calls that matter.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/cli"
)

// Set by the linker for releases; see cli.Version for builds without it.
var version, commit, date string

func main() {
	// A reader that goes away is an error of the write and not the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := cli.Main(ctx, os.Args[1:], cli.Std(), cli.Version{Version: version, Commit: commit, Date: date})
	stop()
	os.Exit(code)
}
