package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract/yaml"
)

func newSimulate(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "simulate [FILE|FOLDER|-]...",
		Short: "Decides requests: JSON Lines, or suites of cases",
		Long: `simulate decides one request a line of JSON, or the cases of a suite (an object
with the key cases, in YAML or JSON), and answers each with one line of JSON. The
context is taken as given: a key that is not listed is absent. An object with
policies and no request sets the policies of what follows.

policies holds identity, resource, boundary, session, scp, rcp and vpcEndpoint, and
also grants, documents for what allows beside the resource's policy (access control
lists, grants of keys, shares), and bucket {resource, policy}, what stands behind an
access point. assume {negatedSet, delegating} settles what AWS leaves open.

Exit codes: 1 if a case did not come out as it wants, 2 if a line could not be read.`,
		Example: `  tfguard simulate cases.jsonl
  tfguard simulate fixtures/conformance`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSimulate(cmd.Context(), streams, args)
		},
	}
}

// simulation answers the cases of one run.
type simulation struct {
	out    *bufio.Writer
	enc    *json.Encoder
	err    io.Writer
	wanted int  // cases that want something
	failed int  // those of them that came out otherwise
	broken bool // some line could not be read

	// each, if not nil, is called with the cases instead of answering them.
	each func(c *simulate.Case)

	name   string // of the input
	parser source.Parser
	shared *engine.Policies
}

func runSimulate(ctx context.Context, streams Streams, args []string) error {
	if len(args) == 0 {
		args = []string{"-"}
	}
	// What a line leaves behind is garbage with the next one, and there is little else:
	// collecting it less often costs some megabytes and saves a tenth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	s := &simulation{out: bufio.NewWriterSize(streams.Out, 1<<16), err: streams.Err}
	s.enc = json.NewEncoder(s.out)
	s.enc.SetEscapeHTML(false)
	for _, arg := range args {
		paths, err := suites(arg)
		if err != nil {
			s.complain(err)
		}
		for _, path := range paths {
			if err := s.file(ctx, streams, path); err != nil {
				s.complain(err)
			}
		}
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	if s.wanted > 0 {
		fmt.Fprintf(s.err, "%d passed, %d failed\n", s.wanted-s.failed, s.failed)
	}
	switch {
	case s.broken:
		return errReported
	case s.failed > 0:
		return errFindings
	}
	return nil
}

func (s *simulation) complain(err error) {
	s.broken = true
	fmt.Fprintf(s.err, "tfguard: %v\n", err)
}

// suites returns the files a path stands for: itself, or those of a folder.
func suites(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such file or folder", path)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{path}, nil
	}
	var paths []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains([]string{".yaml", ".yml", ".json", ".jsonl"}, filepath.Ext(p)) {
			paths = append(paths, p)
		}
		return err
	})
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s: no cases in this folder: it holds no .yaml, .json or .jsonl file", path)
	}
	return paths, err
}

func (s *simulation) file(ctx context.Context, streams Streams, path string) error {
	in := streams.In
	s.name, s.shared = "standard input", nil
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in, s.name = f, path
	}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		text, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return s.suite(yaml.Parse(text))
	}
	return s.lines(ctx, bufio.NewReaderSize(in, 1<<20))
}

// lines answers JSON Lines; an input whose first line is no whole JSON value is a
// suite in JSON.
func (s *simulation) lines(ctx context.Context, in *bufio.Reader) error {
	for number, last := 1, false; !last; number++ {
		line, err := readLine(in)
		last = errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted: %w", ctx.Err())
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			node, perr := s.parser.Parse(string(text))
			if perr != nil && number == 1 && !last {
				line = bytes.Clone(line)
				rest, rerr := io.ReadAll(in)
				if rerr != nil {
					return rerr
				}
				if whole, werr := source.ParseJSON(append(line, rest...)); werr == nil {
					return s.suite(whole, nil)
				}
				in = bufio.NewReaderSize(bytes.NewReader(rest), 1<<16)
			}
			s.line(node, perr, number)
		}
	}
	return nil
}

// readLine reads a line with its end. It is good until the next read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	begin := bytes.Clone(line)
	line, err = in.ReadBytes('\n')
	return append(begin, line...), err
}

func (s *simulation) line(node *source.Node, err error, number int) {
	if err != nil {
		if syn, ok := errors.AsType[*source.SyntaxError](err); ok {
			s.complain(fmt.Errorf("%s:%d:%d: this line is not JSON: %s", s.name, number, syn.Pos.Column, syn.Msg))
			return
		}
		s.complain(fmt.Errorf("%s:%d: %w", s.name, number, err))
		return
	}
	if simulate.IsSuite(node) {
		if err := s.suite(node, nil); err != nil {
			s.complain(err)
		}
		return
	}
	s.one(node, number)
}

// suite answers the cases of a suite, or the one case that a file is.
func (s *simulation) suite(n *source.Node, err error) error {
	if err != nil {
		return fmt.Errorf("%s:%w", s.name, err)
	}
	if !simulate.IsSuite(n) {
		s.one(n, 0)
		return nil
	}
	cases, diags := simulate.DecodeSuite(n)
	s.tell(diags, 0)
	for i := range cases {
		s.answer(&cases[i])
	}
	return nil
}

// one answers one case. line is its number in JSON Lines, 0 in a suite.
func (s *simulation) one(n *source.Node, line int) {
	c, diags := simulate.Decode(n, s.shared)
	s.tell(diags, line)
	switch {
	case diags.HasErrors():
	case c.Request == nil:
		s.shared = c.Policies
	default:
		s.answer(&c)
	}
}

// tell reports what there is to say about cases; errors make the run a failed one.
func (s *simulation) tell(diags source.Diagnostics, line int) {
	for _, d := range diags {
		at := d.Range.Start
		if line > 0 {
			at.Line = line
		}
		where := fmt.Sprintf("%s:%s", s.name, at)
		if d.Severity == source.Error {
			s.complain(fmt.Errorf("%s: %s: %s", where, d.Summary, d.Detail))
		} else {
			fmt.Fprintf(s.err, "%s: %s: %s: %s\n", where, d.Severity, d.Summary, d.Detail)
		}
	}
}

func (s *simulation) answer(c *simulate.Case) {
	if s.each != nil {
		s.each(c)
		return
	}
	a := c.Answer()
	if a.Pass != nil {
		s.wanted++
		if !*a.Pass {
			s.failed++
			fmt.Fprintf(s.err, "%s: failed: %s: %s\n", s.name, c.ID, strings.Join(a.Missed, "; "))
		}
	}
	// bufio keeps the first error for Flush.
	_ = s.enc.Encode(a)
}
