// Package cli is the command line of tfguard: one file per command.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams are the standard streams of a run.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal is set if Out is a terminal, ErrTerminal if Err is one, and Keyboard if
	// In is one.
	Terminal, ErrTerminal, Keyboard bool
	// Env looks up an environment variable.
	Env func(name string) (string, bool)
}

// Std returns the streams of the process.
func Std() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal:    term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Keyboard:    term.IsTerminal(int(os.Stdin.Fd())),
		Env:         os.LookupEnv,
	}
}

// set reports whether an environment variable is set and not empty.
func (s Streams) set(name string) bool {
	v, _ := s.Env(name)
	return v != ""
}

// Exit codes, the same for every command and format.
const (
	exitOK       = 0
	exitFindings = 1
	exitFailed   = 2
)

// errFindings says that the report holds findings at or above the threshold; the
// report has told the rest.
var errFindings = errors.New("findings at or above the threshold")

// errReported says that the command could not do its job and has said why.
var errReported = errors.New("reported")

// Main runs tfguard with the arguments after its name and returns the exit code:
// 0 for nothing at or above the threshold, 1 for findings, 2 if tfguard could not
// do its job.
func Main(ctx context.Context, args []string, streams Streams, version Version) int {
	root := newRoot(streams, version)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errReported):
		return exitFailed
	}
	fmt.Fprintf(streams.Err, "tfguard: %v\n", err)
	return exitFailed
}

func newRoot(streams Streams, version Version) *cobra.Command {
	root := &cobra.Command{
		Use:   "tfguard",
		Short: "Replays AWS call chains against the policies of a Terraform plan or a CloudFormation template",
		Long: `tfguard reads a Terraform plan or a CloudFormation template, rebuilds its IAM,
bucket and organization policies, and replays the calls that matter against them:
a person who calls S3 directly, Athena or CloudFormation that calls for a person,
a service role, a service principal. It says which hop of a chain breaks, which gate is open, and
which statement decided. It needs no credentials and no network.

Exit codes: 0 nothing at or above the threshold, 1 findings, 2 tfguard could not
do its job. Every flag has a variable, TFGUARD_ and its name in capitals.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags(), streams.Env)
		},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.AddCommand(
		newCheck(streams, version), newExplain(streams), newChains(streams), newExtract(streams), newInit(streams),
		newSimulate(streams), newReport(streams, version), newRules(streams), newTest(streams), newVersion(streams, version),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Writes the completion script of a shell"
			// Without these two, the name of no shell would be help and exit code 0.
			cmd.Args = cobra.NoArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// newHelp replaces cobra's command, which takes the name of no command for success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explains a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no command %q; `tfguard help` lists the commands", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
