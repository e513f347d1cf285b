package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform/internal/planfile"
)

// ReadPlanFile reads a plan in Terraform's own binary form, as `terraform plan -out`
// writes it: a zip archive of a size in bytes. name is how messages call the input.
//
// It returns an [*InputError] for what is no such plan, and in particular for one of
// a newer format, or the error of ctx. Whatever else is wrong with a plan is a
// diagnostic.
func ReadPlanFile(ctx context.Context, r io.ReaderAt, size int64, name string, opts Options) (*extract.Result, error) {
	p := newPlan()
	files, err := p.readFile(ctx, r, size)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, planFileError(name, err)
	}
	if opts.Configuration == nil {
		opts.Configuration = files
	}
	return p.result(opts), nil
}

// Configuration returns the configuration inside of a binary plan, for the plan in
// JSON that was made of it; see [Options.Configuration]. timestamp is when the plan
// was made, to tell whether the two belong together. The archive is read as long as
// the configuration is in use.
func Configuration(ctx context.Context, r io.ReaderAt, size int64, name string) (files fs.FS, timestamp string, err error) {
	f, err := planfile.Open(r, size)
	if err != nil {
		return nil, "", planFileError(name, err)
	}
	plan, err := f.Plan(ctx, &planfile.Visitor{Wants: func(string, []string) bool { return false }})
	if err != nil {
		return nil, "", planFileError(name, err)
	}
	files = f.Configuration()
	if files == nil {
		return nil, "", &InputError{Name: name, Format: PlanFile, Msg: "the binary plan holds no configuration"}
	}
	return files, plan.Timestamp, nil
}

func planFileError(name string, err error) error {
	var version *planfile.VersionError
	return &InputError{
		Name: name, Format: PlanFile, Newer: errors.As(err, &version),
		Msg: err.Error() + "; write the plan as JSON with " + show,
	}
}

// readFile reads a binary plan into p, and returns its configuration if it has one.
func (p *plan) readFile(ctx context.Context, r io.ReaderAt, size int64) (fs.FS, error) {
	f, err := planfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	plan, err := f.Plan(ctx, &planfile.Visitor{
		Wants: func(address string, actions []string) bool {
			h := headOf(address)
			h.actions = actionsOf(actions)
			return p.wants(h)
		},
		Change:   func(c *planfile.Change) { p.keep(changeOf(c)) },
		Odd:      func(address string, err error) { p.odd(changeAt(address), err) },
		Deferred: func(address string) { p.defers(headOf(address)) },
	})
	if err != nil {
		return nil, err
	}
	p.timestamp, p.errored, p.incomplete, p.variables = plan.Timestamp, plan.Errored, plan.Incomplete, plan.Variables
	err = f.State(ctx, &planfile.Stock{
		Wants:    func(mode, typ string) bool { return kept(head{mode: mode, typ: typ}) },
		Resource: func(r *planfile.Resource) { p.prior = append(p.prior, priorOf(r)) },
	})
	if err != nil {
		return nil, err
	}
	files := f.Configuration()
	if files == nil {
		return nil, nil
	}
	if err := p.configurationFrom(files); err != nil {
		p.root, p.configured = newModule(nil, ""), false
		p.diags = append(p.diags, source.Diagnostic{
			Severity: source.Warning, Summary: "Configuration not read",
			Detail: fmt.Sprintf("The configuration inside of the binary plan cannot be read (%v). What is known only after apply stays unknown.", err),
		})
	}
	return files, nil
}

func headOf(address string) head {
	mode, typ, _, _, _ := splitAddress(address)
	return head{mode: mode, typ: typ, address: address}
}

// changeOf is a change of a binary plan in the form of JSON plans.
func changeOf(c *planfile.Change) *tfjson.ResourceChange {
	rc := changeAt(c.Address)
	rc.PreviousAddress, rc.DeposedKey = c.Previous, c.Deposed
	rc.Change = &tfjson.Change{
		Actions: actionsOf(c.Actions), Before: c.Before, After: c.After, AfterUnknown: c.Unknown,
		BeforeSensitive: c.BeforeSensitive, AfterSensitive: c.AfterSensitive,
	}
	if c.InCheck {
		rc.ActionReason = readInCheck
	}
	return rc
}

func actionsOf(names []string) tfjson.Actions {
	var out tfjson.Actions
	for _, name := range names {
		out = append(out, tfjson.Action(name))
	}
	return out
}

// changeAt is a change of what stands at an address.
func changeAt(address string) *tfjson.ResourceChange {
	mode, typ, name, module, index := splitAddress(address)
	return &tfjson.ResourceChange{
		Address: address, ModuleAddress: module, Mode: tfjson.ResourceMode(mode), Type: typ, Name: name, Index: index,
	}
}

// priorOf is a resource of a state in the form of JSON plans.
func priorOf(r *planfile.Resource) *tfjson.StateResource {
	sr := &tfjson.StateResource{
		Address: r.Address, Mode: tfjson.ResourceMode(r.Mode), Type: r.Type, Name: r.Name, Index: r.Index,
		AttributeValues: r.Values,
	}
	if r.Sensitive != nil {
		// A tree of strings and booleans has a JSON form.
		sr.SensitiveValues, _ = json.Marshal(r.Sensitive)
	}
	return sr
}

// splitAddress splits the address of a resource instance or data source.
func splitAddress(address string) (mode, typ, name, module string, index any) {
	module = moduleOf(address)
	steps := parseSteps(address)
	for len(steps) > 1 && steps[0].name == "module" {
		steps = steps[2:]
	}
	mode = "managed"
	if len(steps) > 2 && steps[0].name == "data" {
		mode, steps = "data", steps[1:]
	}
	if len(steps) < 2 {
		return "", "", "", module, nil
	}
	index = steps[1].index
	if i, ok := index.(int); ok {
		index = float64(i) // as JSON has it
	}
	return mode, steps[0].name, steps[1].name, module, index
}
