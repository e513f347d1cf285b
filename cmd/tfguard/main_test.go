package main

import (
	"errors"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tfguard/tfguard/fixtures"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tfguard": main})
}

// Every command, flag and exit code, as transcripts. $FIXTURES is the corpus;
// -update rewrites what cmp compares.
func TestScript(t *testing.T) {
	corpus := fixtures.Path(t, "")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       fixtures.Update(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("FIXTURES", corpus)
			return nil
		},
	})
}

// exits runs a command as exec does, and holds its exit code against a number:
//
//	exits 2 tfguard check missing.json
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code program [argument...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
