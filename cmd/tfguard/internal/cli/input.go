package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/account"
	"github.com/tfguard/tfguard/extract/terraform"
)

// An input is a file as a reader understood it.
type input struct {
	// path is as the user gave it, "-" for standard input.
	path string
	// format is what the reader calls the file, for people.
	format string
	// details is set for the users, groups and roles of an account.
	details bool
	*extract.Result
}

// A reader reads one format of inputs.
type reader struct {
	format string
	// inFolders reports whether a file of a folder, of which head is the beginning,
	// is such an input; what it does not claim is passed over.
	inFolders func(path string, head []byte) bool
	// claims reports whether a file that the user named is such an input.
	claims func(path string, head []byte) bool
	// read reads it; path is what the file is called on disk, name in messages.
	read func(ctx context.Context, from *sources, r io.Reader, path, name string) (*extract.Result, error)
}

// templateFormat is what a template is called.
const templateFormat = "cloudformation template"

// detailsFormat is what the details of an account are called.
const detailsFormat = "account details"

// readers are asked in order; the last one takes every file that is named, and says
// of what it cannot read what it is and what to do.
var readers = []reader{
	{
		format:    detailsFormat,
		inFolders: isDetails,
		claims:    isDetails,
		read:      readDetails,
	},
	{
		format:    "policy document",
		inFolders: func(string, []byte) bool { return false },
		claims:    isPolicy,
		read: func(_ context.Context, _ *sources, _ io.Reader, _, name string) (*extract.Result, error) {
			return nil, fmt.Errorf("%s: this is a policy alone, and nothing says what it is attached to; name it in %s, such as scp \"root\" { files = [%q] }", name, config.Name, filepath.Base(name))
		},
	},
	{
		// What a team tells of its account, without a plan beside it.
		format:    "configuration",
		inFolders: func(string, []byte) bool { return false },
		claims:    func(path string, _ []byte) bool { return filepath.Base(path) == config.Name },
		read:      readNothing,
	},
	{
		format:    templateFormat,
		inFolders: isTemplateInFolder,
		claims:    isTemplate,
		read:      readTemplate,
	},
	{
		format:    "terraform plan",
		inFolders: isPlanFile,
		claims:    isPlanFile,
		read:      readPlanFile,
	},
	{
		format: "terraform plan",
		inFolders: func(path string, head []byte) bool {
			return strings.HasSuffix(path, ".json") && terraform.Sniff(head) == terraform.PlanJSON
		},
		claims: func(string, []byte) bool { return true },
		read:   readPlan,
	},
}

// headSize is how much of a file the readers look at to know it.
const headSize = terraform.HeadSize

func isDetails(_ string, head []byte) bool { return account.Sniff(head) == account.Details }

func isPolicy(_ string, head []byte) bool {
	f := account.Sniff(head)
	return f == account.Document || f == account.Description
}

func readDetails(_ context.Context, _ *sources, r io.Reader, _, name string) (*extract.Result, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return account.Read(text, name, account.Options{ManagedPolicy: managedPolicy})
}

// readNothing is an input of which the configuration tells everything.
func readNothing(_ context.Context, from *sources, _ io.Reader, _, _ string) (*extract.Result, error) {
	known := from.account
	if known.Value.IsZero() {
		known.Value = symbol.Symbol{Name: "account", Class: symbol.Digits}.Text()
	}
	return &extract.Result{Inventory: &extract.Inventory{
		Account: known, Partition: extract.Fact{Value: symbol.Literal("aws"), Assumed: true},
	}}, nil
}

// readAll reads the inputs of one world: first the details of accounts, which tell
// the account that plans may not know; in the world plans go before them. Of what
// cannot be read it tells unreadable. It returns nil if that is all.
func readAll(ctx context.Context, from *sources, stdin io.Reader, world []place, unreadable func(path string, err error)) *input {
	var details, others []*input
	for _, wanted := range []bool{true, false} {
		for _, p := range world {
			if wanted != namesDetails(p.path) {
				continue
			}
			in, err := read(ctx, from, stdin, p.path)
			switch {
			case err != nil:
				unreadable(p.path, err)
			case !in.details:
				others = append(others, in)
			default:
				details = append(details, in)
				if from.account.Value.IsZero() {
					from.account = in.Inventory.Account
				}
			}
		}
	}
	ins := slices.Concat(others, details)
	switch len(ins) {
	case 0:
		return nil
	case 1:
		return ins[0]
	}
	var paths, formats []string
	var results []*extract.Result
	for _, in := range ins {
		paths, formats, results = append(paths, in.path), append(formats, in.format), append(results, in.Result)
	}
	return &input{
		path: strings.Join(paths, report.Together), format: strings.Join(formats, report.Together),
		Result: extract.Join(results...),
	}
}

// namesDetails reports whether a path is that of the details of an account.
func namesDetails(path string) bool {
	head, err := headOf(path)
	return err == nil && isDetails(path, head)
}

// headOf reads the beginning of a file.
func headOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// read reads the input at a path, or the one on stdin for "-".
func read(ctx context.Context, from *sources, stdin io.Reader, path string) (*input, error) {
	r, name := stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r, name = f, path
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, rd := range readers {
		if rd.claims(path, head) {
			result, err := rd.read(ctx, from, buffered, path, name)
			if err != nil {
				return nil, err
			}
			return &input{path, cmp.Or(result.Format, rd.format), rd.format == detailsFormat, result}, nil
		}
	}
	panic("no reader claims the input") // the last one claims all
}

// expand returns the files a path stands for: itself, or the inputs in a folder.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: there is no such file or folder", path)
		}
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var paths []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != path && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && isInput(p) {
			paths = append(paths, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if file := config.Find(path); len(paths) == 0 && file != "" {
		return []string{file}, nil
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no plan and no template found in this folder: write a plan with `terraform show -json tfplan > plan.json`", path)
	}
	return paths, nil
}

// isInput looks into a file of a folder; one that cannot be opened is kept if its
// name is that of an input, so that reading it says why.
func isInput(path string) bool {
	head, err := headOf(path)
	if errors.Is(err, io.EOF) {
		return false // there is nothing in it
	}
	if err != nil {
		return strings.HasSuffix(path, ".json")
	}
	for _, rd := range readers {
		if rd.inFolders(path, head) {
			return true
		}
	}
	return false
}
