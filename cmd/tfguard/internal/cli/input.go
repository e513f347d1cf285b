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
	"strings"

	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform"
)

// An input is a file as a reader understood it.
type input struct {
	// path is as the user gave it, "-" for standard input.
	path string
	// format is what the reader calls the file, for people.
	format string
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

// readers are asked in order; the last one takes every file that is named, and says
// of what it cannot read what it is and what to do.
var readers = []reader{
	{
		format:    "cloudformation template",
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
			return &input{path, cmp.Or(result.Format, rd.format), result}, nil
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
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no plan and no template found in this folder: write a plan with `terraform show -json tfplan > plan.json`", path)
	}
	return paths, nil
}

// isInput looks into a file of a folder; one that cannot be opened is kept if its
// name is that of an input, so that reading it says why.
func isInput(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return strings.HasSuffix(path, ".json")
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	for _, rd := range readers {
		if rd.inFolders(path, head[:n]) {
			return true
		}
	}
	return false
}
