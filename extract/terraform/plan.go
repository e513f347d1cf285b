package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/tfguard/tfguard/engine/source"
)

// A plan is what is kept of a plan in JSON.
type plan struct {
	timestamp string
	errored   bool
	// incomplete is set where the plan says so; older plans do not say.
	incomplete bool
	// deferred are the resources of interest whose changes are left to a further plan.
	deferred []string
	// changed counts the changes of all resources, kept or not.
	changed int
	changes []*tfjson.ResourceChange
	// told are the addresses of managed resources among them, once they were asked for.
	told map[string]bool
	// prior holds resources and data sources before the change.
	prior     []*tfjson.StateResource
	providers map[string]providerConfig
	root      *module
	// configured is set where the plan holds the configuration.
	configured bool
	// openTofu is set where the providers are from the registry of OpenTofu.
	openTofu  bool
	variables map[string]any
	diags     source.Diagnostics
	peek      peeker
	reader    *changeReader
	// parsed are the policies that were read already, by their id; nil if nobody asks again.
	parsed map[string]*parsedPolicy
}

func newPlan() *plan {
	return &plan{
		providers: map[string]providerConfig{},
		root:      newModule(nil, ""),
		variables: map[string]any{},
		reader:    newChangeReader(),
	}
}

// member reads one member at the top of a plan.
func (p *plan) member(ctx context.Context, dec *jsontext.Decoder, key string) error {
	switch key {
	case "format_version":
		var version string
		ok, err := p.readInto(dec, &version)
		if err != nil {
			return err
		}
		if !ok {
			return &versionError{version}
		}
		return checkVersion(version)
	case "timestamp":
		_, err := p.readInto(dec, &p.timestamp)
		return err
	case "errored":
		_, err := p.readInto(dec, &p.errored)
		return err
	case "complete":
		complete := true
		_, err := p.readInto(dec, &complete)
		p.incomplete = !complete
		return err
	case "variables":
		return eachMember(dec, func(name string) error {
			var v struct{ Value any }
			ok, err := p.readInto(dec, &v)
			if ok {
				p.variables[name] = v.Value
			}
			return err
		})
	case "resource_changes":
		return eachItem(dec, func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return p.change(dec)
		})
	case "deferred_changes":
		return eachItem(dec, func() error {
			var d struct {
				Change struct{ Mode, Type, Address string } `json:"resource_change"`
			}
			_, err := p.readInto(dec, &d)
			p.defers(head{mode: d.Change.Mode, typ: d.Change.Type, address: d.Change.Address})
			return err
		})
	case "prior_state":
		return eachMember(dec, func(name string) error {
			if name != "values" {
				return dec.SkipValue()
			}
			return eachResource(dec, func() error { return p.priorResource(ctx, dec) })
		})
	case "planned_values":
		return eachResource(dec, func() error { return skip(dec) })
	case "configuration":
		p.configured = true
		return p.configuration(dec)
	default:
		return dec.SkipValue()
	}
}

// change reads one element of resource_changes.
func (p *plan) change(dec *jsontext.Decoder) error {
	rc, odd, err := p.reader.read(dec)
	if err != nil {
		return err
	}
	switch h := headOfChange(rc); {
	case !h.valid():
		p.leftOut(dec)
	case !p.wants(h):
	case odd != nil:
		if rc.Address == "" {
			rc.Address = "(" + pathTo(dec.StackPointer()) + ")"
		}
		p.odd(rc, odd)
	default:
		p.keep(rc)
	}
	return nil
}

func (p *plan) keep(rc *tfjson.ResourceChange) { p.changes = append(p.changes, rc) }

// tells reports whether the changes tell of a managed resource, as far as they come
// before the state. What the state says of it is then no news.
func (p *plan) tells(address string) bool {
	if p.told == nil {
		p.told = make(map[string]bool, len(p.changes))
		for _, rc := range p.changes {
			if rc.Mode == tfjson.ManagedResourceMode && rc.DeposedKey == "" {
				p.told[rc.Address] = true
			}
		}
	}
	return p.told[address]
}

// defers notes a change that is left to a further plan. Its resource stays as it is.
func (p *plan) defers(h head) {
	if h.mode == "managed" && kept(h) {
		p.deferred = append(p.deferred, h.address)
	}
}

// wants reports whether a change is kept, and counts it if it is one.
func (p *plan) wants(h head) bool {
	if !h.actions.NoOp() && !h.actions.Read() {
		p.changed++
	}
	return kept(h)
}

// eachResource calls f for every resource of the values that come next, of whatever
// module; f reads the resource.
func eachResource(dec *jsontext.Decoder, f func() error) error {
	var module func() error
	module = func() error {
		return eachMember(dec, func(name string) error {
			switch name {
			case "resources":
				return eachItem(dec, f)
			case "child_modules":
				return eachItem(dec, module)
			default:
				return dec.SkipValue()
			}
		})
	}
	return eachMember(dec, func(name string) error {
		if name != "root_module" {
			return dec.SkipValue()
		}
		return module()
	})
}

func (p *plan) priorResource(ctx context.Context, dec *jsontext.Decoder) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	raw, h, ok, err := p.readHead(dec)
	if !ok || !kept(h) || p.tells(h.address) {
		return err
	}
	sr := new(tfjson.StateResource)
	if err := json.Unmarshal(raw, sr); err != nil {
		rc := changeAt(h.address)
		rc.Mode, rc.Type = tfjson.ResourceMode(h.mode), h.typ
		p.odd(rc, err)
	} else if sr.DeposedKey == "" { // else what is left over from an earlier replacement
		p.prior = append(p.prior, sr)
	}
	return nil
}

// odd reports a resource that does not have the shape of one, and keeps it as one of
// which the configuration alone is known.
func (p *plan) odd(rc *tfjson.ResourceChange, err error) {
	p.diags = append(p.diags, source.Diagnostic{
		Severity: source.Warning, Summary: "Resource not understood",
		Detail: fmt.Sprintf("The plan describes this resource in a shape that is not Terraform's (%v). It is judged by its configuration alone.", err),
		Origin: source.Origin{Address: rc.Address},
	})
	c := &tfjson.Change{Actions: tfjson.Actions{tfjson.ActionUpdate}, After: map[string]any{}, AfterUnknown: true, AfterSensitive: true}
	if was := rc.Change; was != nil {
		if was.AfterSensitive != nil && isMarks(was.AfterSensitive) {
			c.AfterSensitive = was.AfterSensitive
		}
		if slices.Equal(was.Actions, tfjson.Actions{tfjson.ActionDelete}) {
			c.Actions = was.Actions
		}
	}
	rc.Change = c
	p.keep(rc)
}

// kept reports whether a resource can matter: those that hold policies, those
// that policies are attached to or name, and data sources that values come from.
func kept(h head) bool {
	if h.mode == "data" {
		return strings.HasPrefix(h.typ, "aws_")
	}
	return h.mode == "managed" && keptTypes[h.typ]
}
