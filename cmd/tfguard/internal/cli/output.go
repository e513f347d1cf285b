package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
)

// outputs is a flag that takes formats, each with the file that it goes to.
type outputs struct {
	list  []output
	given bool
}

// An output is a format and where it goes, "-" for standard output.
type output struct{ format, path string }

func (*outputs) Type() string { return "format[=file]" }

func (o *outputs) String() string {
	var words []string
	for _, out := range o.list {
		if out.path == "-" {
			words = append(words, out.format)
		} else {
			words = append(words, out.format+"="+out.path)
		}
	}
	return strings.Join(words, ",")
}

// Set adds outputs, separated by commas, in the place of the default.
func (o *outputs) Set(list string) error {
	if !o.given {
		o.list, o.given = nil, true
	}
	for word := range strings.SplitSeq(list, ",") {
		format, path, ok := strings.Cut(word, "=")
		if !ok {
			path = "-"
		}
		switch {
		case !slices.Contains(report.Formats(), format):
			return fmt.Errorf("it takes FORMAT or FORMAT=FILE, and the formats are %s", strings.Join(report.Formats(), ", "))
		case path == "":
			return fmt.Errorf("%s= names no file", format)
		}
		for _, other := range o.list {
			if path == "-" && other.path == "-" {
				return fmt.Errorf("%s and %s cannot both go to standard output: give one a file, such as %s=FILE", other.format, format, format)
			}
		}
		o.list = append(o.list, output{format, path})
	}
	return nil
}

// forAtlantis reports whether Atlantis reads standard output.
func (o *outputs) forAtlantis() bool { return slices.Contains(o.list, output{"atlantis", "-"}) }

// forPrograms leaves what goes to a file, or to a platform that reads standard output.
func (o *outputs) forPrograms() {
	o.list = slices.DeleteFunc(o.list, func(out output) bool {
		return out.path == "-" && out.format != "atlantis" && out.format != "github"
	})
}

// rendering is how the commands that write a report write it.
type rendering struct {
	streams        Streams
	version        Version
	outputs        outputs
	failOn         report.Threshold
	newAccess      bool
	policySet      choice
	noColor        bool
	quiet, verbose bool
}

func newRendering(streams Streams, version Version) rendering {
	return rendering{
		streams: streams, version: version, failOn: report.Error,
		outputs: outputs{list: []output{{"text", "-"}}}, policySet: choice{words: report.PolicySets()},
	}
}

// addTo adds the flags of the rendering to a command.
func (o *rendering) addTo(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(&o.outputs, "output", "o", "format of the report, and the file that it goes to if that is not standard output; may be given several times: "+strings.Join(report.Formats(), ", "))
	f.Var(&o.failOn, "fail-on", "least of what makes the exit code 1: "+strings.Join(report.Thresholds(), ", "))
	f.BoolVar(&o.newAccess, "fail-on-new-access", false, "make the exit code 1 for a call that the change opens, too")
	f.Var(&o.policySet, "policy-set", "with -o atlantis, tell what belongs to one policy set alone: "+strings.Join(report.PolicySets(), ", "))
	f.BoolVar(&o.noColor, "no-color", false, "no colours, also on a terminal")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell what to act on alone, and no progress")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell everything, however long")
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	complete(cmd, "output", report.Formats())
	complete(cmd, "fail-on", report.Thresholds())
	complete(cmd, "policy-set", report.PolicySets())
}

// ready says early what keeps an output from being written.
func (o *rendering) ready() error {
	if o.policySet.value != "" && slices.ContainsFunc(o.outputs.list, func(out output) bool { return out.format != "atlantis" }) {
		return errors.New("--policy-set goes with -o atlantis alone, as other formats tell everything")
	}
	taken := map[string]output{}
	for _, out := range o.outputs.list {
		if out.path == "-" {
			continue
		}
		folder := filepath.Dir(out.path)
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return fmt.Errorf("-o %s=%s: there is no folder %s", out.format, out.path, folder)
		}
		file := resolved(out.path)
		if other, ok := taken[file]; ok {
			return fmt.Errorf("-o %s=%s and %s=%s: two reports cannot both go to one file", other.format, other.path, out.format, out.path)
		}
		taken[file] = out
	}
	return nil
}

// resolved is the one name of a file in a folder that is there, however its path is written.
func resolved(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	} else if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path))
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return path
}

// write writes the report in every format, files first: what is on standard output
// comes when they are whole.
func (o *rendering) write(rep *report.Report) error {
	opts := o.options()
	switch {
	case o.quiet:
		opts.Detail = report.Quiet
	case o.verbose:
		opts.Detail = report.Verbose
	}
	var errs []error
	for _, toFile := range []bool{true, false} {
		for _, out := range o.outputs.list {
			if toFile != (out.path != "-") {
				continue
			}
			format, err := report.Get(out.format)
			if err != nil {
				return err
			}
			opts.Color = o.color() && !toFile
			if toFile {
				err = writeFile(out.path, func(w io.Writer) error { return format(w, rep, opts) })
			} else {
				err = format(o.streams.Out, rep, opts)
			}
			if err == nil && out.format == "github" {
				err = o.stepSummary(rep, opts)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("the report could not be written: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

// stepSummaryLimit is how large the summary of a step may be: a larger one is not
// shown at all.
const stepSummaryLimit = 1 << 20

// stepSummary adds the report to the summary of the step, if GitHub Actions gives a
// file for it.
func (o *rendering) stepSummary(rep *report.Report, opts report.Options) error {
	path, _ := o.streams.Env("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		opts.Limit = stepSummaryLimit - int(info.Size()) - 1
		if opts.Limit <= 0 {
			fmt.Fprintln(o.streams.Err, "tfguard: the summary of the step is full: the report is not in it")
			return f.Close()
		}
		err = report.Markdown(f, rep, opts)
	}
	return errors.Join(err, f.Close())
}

func (o *rendering) options() report.Options {
	return report.Options{FailOn: o.failOn, FailOnNewAccess: o.newAccess, PolicySet: o.policySet.value, Version: o.version.complete().Version}
}

// finish writes the report and returns what decides the exit code.
func (o *rendering) finish(rep *report.Report) error {
	if err := o.write(rep); err != nil {
		return err
	}
	switch {
	case o.outputs.forAtlantis():
		return nil // its verdict is in the words
	case len(rep.Unreadable) > 0:
		return errReported
	case o.options().Fails(rep):
		return errFindings
	}
	return nil
}

// color says whether the report has colours: on a terminal, unless the user, the
// variable NO_COLOR or a CI system says otherwise.
func (o *rendering) color() bool {
	return o.streams.Terminal && !o.noColor && !o.streams.set("NO_COLOR") && !o.streams.set("CI")
}

// writeFile writes a file whole or not at all: beside its place first, then there. A
// path that is no regular file, such as a pipe, is written to as it is.
func writeFile(path string, render func(io.Writer) error) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		var whole bytes.Buffer
		if err := render(&whole); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(whole.Bytes())
		return errors.Join(err, f.Close())
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := newFile(path)
	if err != nil {
		return err
	}
	err = render(f)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what went wrong before is what counts
	}
	return err
}

// newFile makes a new file beside a path, with the permissions of a file that is
// there or else those that the user's files get.
func newFile(path string) (*os.File, error) {
	for n := 0; ; n++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d.%d.tmp", path, os.Getpid(), n), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) && n < 100 {
			continue
		}
		if err != nil {
			return nil, err
		}
		if info, err := os.Stat(path); err == nil {
			if err := f.Chmod(info.Mode().Perm()); err != nil {
				_ = f.Close()
				_ = os.Remove(f.Name())
				return nil, err
			}
		}
		return f, nil
	}
}
