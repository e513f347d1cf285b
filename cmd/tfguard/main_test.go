package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tfguard/tfguard/fixtures"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tfguard": main, "standin-terraform": standIn})
}

// standIn stands in for Terraform: it shows the plan that a variable names, and says
// in a file how it was called.
func standIn() {
	folder, err := os.Getwd()
	if err == nil {
		err = os.WriteFile(os.Getenv("STANDIN_LOG"), []byte(filepath.Base(folder)+": "+strings.Join(os.Args[1:len(os.Args)-1], " ")+" "+filepath.Base(os.Args[len(os.Args)-1])+"\n"), 0o600)
	}
	var plan []byte
	if err == nil {
		plan, err = os.ReadFile(os.Getenv("STANDIN_PLAN"))
	}
	if err == nil {
		_, err = os.Stdout.Write(plan)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
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
