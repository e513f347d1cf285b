package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform"
)

// sources are what helps to read an input, beside the input itself.
type sources struct {
	source       folder
	planFile     string
	terraformBin string
	templates    templateOptions
	// account is what is known of the account, for a plan that does not say.
	account extract.Fact
	// before asks for the world before the change too.
	before bool
}

func (s *sources) flags(f *pflag.FlagSet) {
	s.templates.flags(f)
	f.Var(&s.source, "source", "the `folder` of the root module that a plan was made in: where policies are written, and what is known only after apply")
	f.StringVar(&s.planFile, "plan-file", "", "the binary plan `file` that a plan in JSON was made of, for the configuration in it")
	f.StringVar(&s.terraformBin, "terraform-bin", "", "the `program` that shows binary plans of a format that is not read: terraform, tofu or a path")
}

// placesIn returns the inputs that an argument stands for. Where a folder has one plan in
// both forms, as pipelines leave it, that is one input: the binary plan, which holds more.
func placesIn(ctx context.Context, arg string) ([]place, error) {
	paths, err := expand(arg)
	if err != nil {
		return nil, err
	}
	type moment struct{ folder, time string }
	binary := map[moment]string{}
	for _, path := range paths {
		if path != arg && formatOf(path) == terraform.PlanFile {
			if at := madeAt(ctx, path); at != "" {
				binary[moment{filepath.Dir(path), at}] = path
			}
		}
	}
	twins := map[string]string{}
	if len(binary) > 0 {
		paths = slices.DeleteFunc(paths, func(path string) bool {
			if formatOf(path) != terraform.PlanJSON {
				return false
			}
			at := madeAt(ctx, path)
			of := binary[moment{filepath.Dir(path), at}]
			if of != "" {
				twins[of] = fmt.Sprintf("%s is this plan in JSON, made at %s too, and is not judged again. Name it to have it judged.", path, at)
			}
			return of != ""
		})
	}
	var places []place
	for _, path := range paths {
		places = append(places, place{path, arg, twins[path]})
	}
	return places, nil
}

// formatOf looks into a file.
func formatOf(path string) terraform.Format {
	head, err := headOf(path)
	if err != nil {
		return terraform.Unknown
	}
	return terraform.Sniff(head)
}

// madeAt returns when a plan was made, "" if that cannot be told.
func madeAt(ctx context.Context, path string) string {
	f, size, err := open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if formatOf(path) == terraform.PlanJSON {
		return terraform.Timestamp(f)
	}
	_, at, err := terraform.Configuration(ctx, f, size, path)
	if err != nil {
		return "" // reading it will say why
	}
	return at
}

// readFlags are the names of the flags above.
var readFlags = func() []string {
	var names []string
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	(&sources{}).flags(f)
	f.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}()

// readWith returns the flags that the user gave to read an input, as arguments of a
// command. Of parameters those that the input has are given; in the place of a value
// that must not be shown, and so decides nothing, there are asterisks.
func (o *checkOptions) readWith(inv *extract.Inventory) []string {
	var out []string
	for _, name := range readFlags {
		f := o.config.flags.Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			key, _, _ := strings.Cut(value, "=")
			switch secret, takes := inv.Secret[key]; {
			case name != "parameter" || takes && !secret || strings.HasPrefix(key, "AWS::"):
				out = append(out, "--"+name+"="+value)
			case takes:
				out = append(out, "--"+name+"="+key+"=***")
			}
		}
	}
	return out
}

// options are what every reader of plans is told. Without a folder by name the working
// folder is tried: Terraform is mostly run there.
func (s *sources) options(ctx context.Context) terraform.Options {
	opts := terraform.Options{ManagedPolicy: managedPolicy, Account: s.account, Folder: string(s.source), Before: s.before}
	opts.Stacks = func(stacks []terraform.Stack, account extract.Fact) (*extract.Result, error) {
		return readStacks(ctx, stacks, account)
	}
	if opts.Folder == "" {
		for _, syntax := range []string{"*.tf", "*.tf.json", "*.tofu", "*.tofu.json"} {
			if files, err := filepath.Glob(syntax); err == nil && len(files) > 0 {
				opts.Folder, opts.FolderAssumed = ".", true
			}
		}
	}
	return opts
}

// A folder is a flag that takes a folder.
type folder string

func (d *folder) String() string { return string(*d) }
func (*folder) Type() string     { return "folder" }

func (d *folder) Set(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", path)
	}
	*d = folder(path)
	return nil
}

func isPlanFile(_ string, head []byte) bool { return terraform.Sniff(head) == terraform.PlanFile }

// readPlan reads a plan in JSON.
func readPlan(ctx context.Context, from *sources, r io.Reader, _, name string) (*extract.Result, error) {
	opts := from.options(ctx)
	if from.planFile == "" {
		return terraform.Read(ctx, r, name, opts)
	}
	f, size, err := open(from.planFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	files, timestamp, err := terraform.Configuration(ctx, f, size, from.planFile)
	if err != nil {
		return nil, err
	}
	opts.Configuration = files
	result, err := terraform.Read(ctx, r, name, opts)
	if err == nil && result.Inventory.Timestamp != timestamp {
		result.Diagnostics = append(result.Diagnostics, source.Diagnostic{
			Severity: source.Warning, Summary: "Two plans",
			Detail: fmt.Sprintf("%s was made at another time than this plan (%s, %s): its configuration may be another one. Name the plan that the JSON was made of.",
				from.planFile, timestamp, result.Inventory.Timestamp),
		})
	}
	return result, err
}

// maxPlanFile bounds a binary plan on standard input, in bytes.
const maxPlanFile = 256 << 20

// readPlanFile reads a binary plan. One of a newer format is shown by Terraform
// itself, where an initialised folder is at hand.
func readPlanFile(ctx context.Context, from *sources, r io.Reader, path, name string) (*extract.Result, error) {
	opts := from.options(ctx)
	if path == "-" {
		content, err := io.ReadAll(io.LimitReader(r, maxPlanFile+1))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(content) > maxPlanFile {
			return nil, fmt.Errorf("%s: this is larger than any binary plan; name the file", name)
		}
		return terraform.ReadPlanFile(ctx, bytes.NewReader(content), int64(len(content)), name, opts)
	}
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	result, err := terraform.ReadPlanFile(ctx, f, size, name, opts)
	var refused *terraform.InputError
	if !errors.As(err, &refused) || !refused.Newer {
		return result, err
	}
	bin, folder := from.program(), initialised(path)
	if bin == "" || folder == "" {
		return nil, err
	}
	result, err = show(ctx, bin, folder, path, name, opts)
	if err == nil {
		result.Diagnostics = append(result.Diagnostics, source.Diagnostic{
			Severity: source.Info, Summary: "Plan read through " + filepath.Base(bin),
			Detail: fmt.Sprintf("The binary plan is of a format that is not read. It was read from the output of `%s show -json` instead.", bin),
		})
	}
	return result, err
}

func open(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("%s: there is no such file", path)
	} else if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // the error at hand says more
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// program is the Terraform or OpenTofu to ask, "" if there is none.
func (s *sources) program() string {
	if s.terraformBin != "" {
		if bin, err := filepath.Abs(s.terraformBin); err == nil && strings.ContainsRune(s.terraformBin, filepath.Separator) {
			return bin // it is run in another folder
		}
		return s.terraformBin
	}
	for _, name := range []string{"terraform", "tofu"} {
		if bin, err := exec.LookPath(name); err == nil {
			return bin
		}
	}
	return ""
}

// initialised returns the folder to show a plan in, where `terraform init` has put the
// providers: that of the plan or the working folder, "" if neither is one.
func initialised(path string) string {
	for _, folder := range []string{filepath.Dir(path), "."} {
		if info, err := os.Stat(filepath.Join(folder, ".terraform")); err == nil && info.IsDir() {
			return folder
		}
	}
	return ""
}

// show reads a plan from what a program shows of it.
func show(ctx context.Context, bin, folder, path, name string, opts terraform.Options) (*extract.Result, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "show", "-json", "-no-color", path)
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %s could not be run to show it: %w", name, bin, err)
	}
	result, err := terraform.Read(ctx, out, name, opts)
	if err != nil {
		cancel() // it may still be writing
	}
	if failed := cmd.Wait(); failed != nil && stderr.Len() > 0 {
		return nil, fmt.Errorf("%s: `%s show -json` failed: %s", name, bin, strings.Join(strings.Fields(stderr.String()), " "))
	} else if failed != nil && err == nil {
		return nil, fmt.Errorf("%s: `%s show -json` failed: %w", name, bin, failed)
	}
	return result, err
}
