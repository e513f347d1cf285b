// Package terraform reads what a Terraform plan will make of an AWS account: the
// principals, resources and policies after the change, as an [extract.Inventory].
//
// Call [Read] with the output of `terraform show -json`, and [Sniff] to learn what
// a file is. The plan is read as a stream: what is not about policies is passed
// over, and what is kept is small. Values that are known only after apply stay
// what they are: the ARN of a bucket that does not exist yet is known as far as
// its name is, and is equal to itself wherever the configuration refers to it.
//
// What the plan does not tell, the source of the configuration does where it is at
// hand ([Options.Source]); the rest the package says in diagnostics.
package terraform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/extract"
)

// Options are what [Read] cannot learn from a plan.
type Options struct {
	// ManagedPolicy gives the document of an AWS managed policy by its name, such
	// as "AdministratorAccess", and false for one it does not know. May be nil.
	ManagedPolicy func(name string) (*policy.Document, bool)
	// Account is the account that somebody else tells, for a plan that does not.
	Account extract.Fact
	// Configuration is the configuration as a binary plan holds it: modules.json, a
	// list of {Key, Source, Dir}, and the source files of each module in a folder
	// "m-" and its Key. May be nil; [ReadPlanFile] takes the one of the plan itself.
	Configuration fs.FS
	// Folder is the folder of the root module on disk, "" if it is not at hand: the
	// configuration itself, or the files that it names and that a plan does not hold.
	Folder string
	// FolderAssumed says that nobody named Folder: it is used only if it holds the
	// configuration that the plan was made of.
	FolderAssumed bool
	// Stacks reads the templates of the stacks of CloudFormation that a plan makes, as
	// one input in the account of the plan; nil: none is read.
	Stacks func(stacks []Stack, account extract.Fact) (*extract.Result, error)
	// Before asks for the world before the change too: [extract.Result.Before].
	Before bool
}

// Read reads a plan in JSON as `terraform show -json` writes it, of any format
// version from 0.1 to 1.x, in UTF-8 or in UTF-16 with a byte-order mark. name is
// how messages call the input.
//
// It returns an [*InputError] for an input that is no such plan, the error of r,
// or that of ctx. Whatever else is wrong with a plan is a diagnostic.
func Read(ctx context.Context, r io.Reader, name string, opts Options) (*extract.Result, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	start, err := buffered.Peek(HeadSize)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch f := Sniff(start); f {
	case PlanJSON, JSON, StateJSON:
		// The head may not show all keys: the whole decides.
	default:
		return nil, notPlan(name, f)
	}
	p := newPlan()
	if err := p.read(ctx, buffered, name); err != nil {
		return nil, err
	}
	return p.result(opts), nil
}

// Timestamp returns when a plan in JSON was made (RFC 3339), "" where the plan does not
// say, as those of before Terraform 1.5, or cannot be read.
func Timestamp(r io.Reader) string {
	p := newPlan()
	dec := newDecoder(UTF8(bufio.NewReaderSize(r, 1<<16)))
	_ = eachMember(dec, func(key string) error {
		if key != "timestamp" {
			return dec.SkipValue()
		}
		_, _ = p.readInto(dec, &p.timestamp)
		return errStop
	})
	return p.timestamp
}

// result makes the inventory of a plan.
func (p *plan) result(opts Options) *extract.Result {
	if opts.Before && p.changed > 0 && slices.ContainsFunc(p.changes, func(rc *tfjson.ResourceChange) bool { return rc.Change.Before != nil }) {
		p.parsed = map[string]*parsedPolicy{}
	}
	b := newBuilder(p, opts)
	b.build()
	b.Diagnostics.Sort()
	b.Sort()
	out := b.withStacks(&extract.Result{Inventory: b.Inventory, Diagnostics: b.Diagnostics}, opts)
	switch {
	case opts.Before && p.changed == 0:
		out.Before = out.Inventory
	case opts.Before:
		out.Before = p.before().result(Options{ManagedPolicy: opts.ManagedPolicy}).Inventory
	}
	return out
}

// read streams the plan into p.
func (p *plan) read(ctx context.Context, r io.Reader, name string) error {
	lines := &lineReader{r: UTF8(r)}
	dec := newDecoder(lines)
	keys := map[string]bool{}
	err := eachMember(dec, func(key string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys[key] = true
		return p.member(ctx, dec, key)
	})
	if err == nil && formatOf(keys) == PlanJSON {
		err = trailing(dec)
	}
	var version *versionError
	var shape *shapeError
	switch {
	case err == nil:
	case errors.As(err, &shape) && shape.path == "":
		return notPlan(name, JSON)
	case errors.As(err, &shape):
		in := &InputError{Name: name, Format: PlanJSON, Msg: "this is no plan as Terraform writes it: " + shape.Error() + "; write the plan again with " + show}
		in.Line, in.Column = lines.place(shape.offset)
		return in
	case errors.As(err, &version):
		return &InputError{Name: name, Format: PlanJSON, Msg: version.Error()}
	default:
		return p.streamError(err, lines, name)
	}
	if f := formatOf(keys); f != PlanJSON {
		return notPlan(name, f)
	}
	if !keys["format_version"] {
		return &InputError{Name: name, Format: JSON, Msg: "the plan has no format_version; write it with " + show}
	}
	return nil
}

// trailing reads on after the plan's object, where nothing may follow.
func trailing(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	return &jsontext.SyntacticError{ByteOffset: dec.InputOffset(), Err: errTrailing}
}

var errTrailing = errors.New("there is text after the plan")

// streamError makes one sentence of an error that ended the stream.
func (p *plan) streamError(err error, lines *lineReader, name string) error {
	var syn *jsontext.SyntacticError
	if !errors.As(err, &syn) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	in := &InputError{Name: name, Format: PlanJSON}
	if syn != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		in.Line, in.Column = lines.place(syn.ByteOffset)
		in.Msg = fmt.Sprintf("this is not valid JSON (%v); write the plan again with %s", syn.Err, show)
		return in
	}
	in.Line, in.Column = lines.place(lines.offset)
	in.Msg = "the JSON ends too early, so the file is cut off; write the plan again with " + show
	return in
}

// A versionError says that a plan is of a format that is not read.
type versionError struct{ version string }

func (e *versionError) Error() string {
	return fmt.Sprintf("plan format_version %q is not read, only 0.1 to 1.x are; update tfguard, or write the plan with an older Terraform", e.version)
}

func checkVersion(version string) error {
	major, minor, _ := strings.Cut(version, ".")
	if major == "1" || major == "0" && minor != "" && minor != "0" {
		return nil
	}
	return &versionError{version}
}
