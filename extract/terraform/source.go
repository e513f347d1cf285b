package terraform

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/terraform/configuration"
)

// The source of the configuration is asked last, and only for what is known after
// apply alone, unless the user names it: then it also tells where policies are
// written.

// takeSource finds the source of the configuration.
func (b *builder) takeSource(opts Options, openTofu bool) {
	var err error
	switch {
	case opts.Configuration != nil && opts.FolderAssumed:
		if b.source, err = configuration.FromPlanFile(opts.Configuration, ""); err == nil && b.source.Holds(opts.Folder) {
			b.source, err = configuration.FromPlanFile(opts.Configuration, opts.Folder)
		}
	case opts.Configuration != nil:
		b.source, err = configuration.FromPlanFile(opts.Configuration, opts.Folder)
	case opts.Folder != "":
		b.source, err = configuration.FromFolder(opts.Folder, openTofu)
		b.sourceAssumed = opts.FolderAssumed
	}
	if err != nil {
		b.source = nil
		b.Warn(source.Origin{}, source.Range{}, "Source not read", "The source of the configuration cannot be read: %v. What is known only after apply stays unknown.", err)
	}
}

// evaluator returns the evaluator of the configuration, nil if its source is not at
// hand. It is made when it is first needed.
func (b *builder) evaluator() *configuration.Evaluator {
	if b.evaluate != nil || b.source == nil {
		return b.evaluate
	}
	e := configuration.New(b.source, planValues{b.resolver})
	if lacking := e.Lacks(sortedKeys(b.root.resources)); lacking != "" {
		b.source = nil
		if !b.sourceAssumed {
			b.Warn(source.Origin{}, source.Range{}, "Source of another plan",
				"The source has no %s, which the plan has, so it is not used. Name the folder of the root module that the plan was made in.", lacking)
		}
		return nil
	}
	b.evaluate = e
	return e
}

// readSource makes the evaluator where it will be needed: for what is known only after
// apply or, in a source that somebody named, for the places of policies.
func (b *builder) readSource() {
	late := func(in *instance) bool { return marked(in.unknown) }
	if len(b.latePolicies) > 0 || !b.sourceAssumed || slices.ContainsFunc(b.managed, late) {
		b.evaluator()
	}
}

// planValues gives an evaluation the values of the plan.
type planValues struct{ *resolver }

func (p planValues) Variable(name string) (any, bool) {
	v, ok := p.variables[name]
	return v, ok
}

func (p planValues) Instances(module, block string) ([]configuration.Instance, bool) {
	typ, isData := strings.CutPrefix(block, "data.")
	typ, _, _ = strings.Cut(typ, ".")
	var out []configuration.Instance
	for _, in := range p.blocks[module+" "+block].all() {
		out = append(out, planInstance{p.resolver, in})
	}
	return out, isData && strings.HasPrefix(typ, "aws_") || !isData && keptTypes[typ]
}

func (p planValues) CallKeys(module, call string) []any {
	return p.callKeys(parseSteps(module), call)
}

type planInstance struct {
	r  *resolver
	in *instance
}

func (p planInstance) Address() string              { return p.in.address }
func (p planInstance) Key() any                     { return p.in.key }
func (p planInstance) Values() map[string]any       { return p.in.values }
func (p planInstance) Unknown() any                 { return p.in.unknown }
func (p planInstance) Sensitive() any               { return p.in.sensitive }
func (p planInstance) Text(path string) symbol.Text { return p.r.attr(p.in, path) }
func (s secret) Hidden() symbol.Text                { return s.text }

// Deferred are the arguments of a data source that writes a policy, as the plan knows
// them.
func (p planInstance) Deferred() *source.Node {
	if !p.in.data || p.in.typ != policyDocument || p.in.unknown == nil {
		return nil
	}
	l := &lateData{builder: &builder{resolver: p.r}, rec: &recovery{}, in: p.in}
	return l.arguments()
}

// placeOf is where an instance is configured.
func placeOf(in *instance) configuration.Place {
	p := configuration.Place{Block: in.blockName(), Key: in.key}
	for i := 1; i < len(in.path); i += 2 {
		p.Calls = append(p.Calls, configuration.Call{Name: in.path[i].name, Key: in.path[i].index})
	}
	return p
}

// fromSource evaluates the expression of a policy, and reports whether there is a
// source to do so.
func (b *builder) fromSource(late *latePolicy) (configuration.Policy, bool) {
	e := b.evaluate
	if e == nil {
		return configuration.Policy{}, false
	}
	list, rest, nested := strings.Cut(late.path, "[")
	if !nested {
		return e.Policy(placeOf(late.in), "", late.path, nil), true
	}
	number, leaf, _ := strings.Cut(rest, "].")
	items, _ := late.in.values[list].([]any)
	pick := func(i int, name symbol.Text) bool {
		n, err := strconv.Atoi(number)
		if err != nil || n >= len(items) {
			return false
		}
		if want := single(at(items[n], "name")); !want.IsZero() {
			return want == name
		}
		return i == n
	}
	return e.Policy(placeOf(late.in), list, leaf, pick), true
}

// textsFromSource evaluates an attribute that names other resources.
func (r *resolver) textsFromSource(in *instance, attr string) ([]symbol.Text, bool) {
	if r.evaluate == nil {
		return nil, false
	}
	return r.evaluate.Texts(placeOf(in), attr)
}

// recoverFromSource settles a late policy by the source, if that tells more than was
// found without it.
func (b *builder) recoverFromSource(late *latePolicy, rec *recovery) {
	p, ok := b.fromSource(late)
	switch {
	case !ok:
		return
	case p.None:
		rec.none = true
		return
	case p.Tree == nil || p.Tree.Kind == source.Unknown:
		// References are no more than a guess where the source is read and does not tell.
		if rec.node == nil || !p.Absent {
			rec.node, rec.missing = nil, p.Missing
		}
		return
	}
	rec.how.Assumed = false
	if rec.node == nil || rec.open || len(rec.missing) > 0 {
		rec.how = extract.Recovery{Step: extract.Source, From: where(p.Range)}
	}
	rec.node, rec.missing, rec.sensitive = p.Tree, p.Missing, p.Sensitive
	slices.Sort(rec.missing)
}

func where(r source.Range) string { return r.File + ":" + r.Start.String() }

// A knownPolicy is one that the plan tells, with its text.
type knownPolicy struct {
	latePolicy
	text string
}

// placePolicies gives the policies that the plan tells their places in the source.
// What the source makes of an attribute must be what the plan says.
func (b *builder) placePolicies() {
	if b.evaluate == nil {
		return
	}
	placed := map[source.Origin]bool{}
	var diags source.Diagnostics
	for _, k := range b.known {
		p, _ := b.fromSource(&k.latePolicy)
		text, err := source.ParseJSON(k.text)
		if err != nil || p.Tree == nil || !p.Tree.Equal(text) {
			continue
		}
		b.maskNode(p.Tree)
		doc, own := policy.Decode(p.Tree, k.doc.ID, k.doc.Kind, k.doc.Origin)
		doc.Sensitive = k.doc.Sensitive || p.Sensitive
		*k.doc = *doc
		placed[doc.Origin] = true
		diags = append(diags, told(doc, own)...)
	}
	b.Diagnostics = slices.DeleteFunc(b.Diagnostics, func(d source.Diagnostic) bool { return placed[d.Origin] })
	b.Diagnostics = append(b.Diagnostics, diags...)
}
