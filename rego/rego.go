// Package rego runs guardrails: rules in Rego over the document that a check reports
// and, where they ask for it, over the file that was checked. It embeds the Open
// Policy Agent.
//
// Call [Load] with what to load and [Rules.Evaluate] once for every input. Policies
// come from files, folders and bundles, and from bundles that [Options.Update]
// fetched into a cache; [Shipped] lists the guardrails that come with tfguard.
//
// # What a rule sees
//
// A guardrail is a rule deny, violation or warn (deny_x too) that yields a string or
// an object with msg, in package main or any package under tfguard. input is the
// report document, and input.plan (or input.template) the file itself. In a package
// outside of tfguard that asks for none of the document's keys, input is the file
// alone, as conftest has it. Of both only the keys that some rule mentions are built.
//
// # The sandbox
//
// Rules compile against the builtins of OPA without those that reach the network,
// the environment, the clock or chance; see [Options.Allow].
package rego

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// Options say what to load and how.
type Options struct {
	// Policies are files, folders, bundles (.tar.gz), and the addresses of remote
	// bundles: https://… and oci://…
	Policies []string
	// Data are files and folders of JSON and YAML that rules see as data, merged as
	// conftest does.
	Data []string
	// Namespaces select the packages whose rules are guardrails, as globs in which *
	// does not match a dot; none means main and all under tfguard.
	Namespaces []string
	// Profiles choose shipped guardrails: the name of a profile, or of a guardrail.
	Profiles []string
	// Version0 reads policies in Rego v0 where a bundle does not say otherwise.
	Version0 bool
	// Strict makes what the strict mode of the compiler finds an error.
	Strict bool
	// Allow are builtins that the sandbox would refuse.
	Allow []string
	// VerificationKey is the path of the key that every policy must be signed with: a
	// public key in PEM or a shared secret. Empty means that signatures are not asked
	// for.
	VerificationKey string
	// Cache is the folder that remote bundles are kept in. Update fetches them
	// again; without it a bundle that is not there is an error.
	Cache  string
	Update bool
	// Timeout bounds one evaluation, 0 for no bound.
	Timeout time.Duration
	// Memory bounds by how many bytes the heap of the process may grow during one
	// evaluation, 0 for no bound. The heap is looked at every few milliseconds, and a
	// builtin is not interrupted: it ends a rule that gathers without end, and is no
	// quota.
	Memory uint64
	// Document are the keys of the report document.
	Document []string
	// Schema is the JSON Schema of the report document, which rules are checked
	// against that ask for schema.report. May be nil.
	Schema []byte
}

// Defaults of the limits.
const (
	DefaultTimeout = time.Minute
	DefaultMemory  = 4 << 30
)

// Rules are compiled guardrails, ready for many inputs. They are not for concurrent
// use.
type Rules struct {
	rules   []*Rule
	bundles []Bundle
	groups  []*group
	store   storage.Store
	timeout time.Duration
	memory  uint64
}

// All returns the rules in the order of their packages and names.
func (r *Rules) All() []*Rule { return r.rules }

// A Bundle is one that rules came from.
type Bundle struct {
	// Source is what the user called it, Revision what its manifest says.
	Source, Revision string
}

// Bundles returns the bundles that say their revision.
func (r *Rules) Bundles() []Bundle { return r.bundles }

// Load reads, verifies and compiles policies. A set without a single rule is an
// error. Errors in Rego name file, line and column.
func Load(ctx context.Context, opts Options) (*Rules, error) {
	l, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	selected, err := namespaces(opts.Namespaces)
	if err != nil {
		return nil, err
	}
	for name := range l.modules {
		if strings.HasSuffix(name, testSuffix) {
			delete(l.modules, name)
		}
	}
	guardrails, err := find(l.modules, func(name string) bool { return selected(name) || strings.HasPrefix(name, shippedPackage) })
	if err != nil {
		return nil, err
	}
	if len(guardrails) == 0 {
		return nil, noRules(l.modules, opts)
	}
	c, err := compile(l, opts)
	if err != nil {
		return nil, err
	}
	r := &Rules{bundles: l.bundles, timeout: opts.Timeout, memory: opts.Memory}
	r.store = inmem.NewFromObjectWithOpts(l.data, inmem.OptReturnASTValuesOnRead(true), inmem.OptRoundTripOnWrite(false))
	if r.groups, err = plan(ctx, c, r.store, guardrails, opts.Document); err != nil {
		return nil, err
	}
	for _, g := range guardrails {
		r.rules = append(r.rules, g.rule)
	}
	return r, nil
}

// shippedPackage begins the names of the packages of shipped guardrails: a profile
// chooses them, and no namespace.
const shippedPackage = "tfguard.guardrails."

// testSuffix ends the names of files with tests, which are not loaded for a check.
const testSuffix = "_test.rego"

// noRules says what was found instead of rules.
func noRules(modules map[string]*ast.Module, opts Options) error {
	var packages []string
	for file, m := range modules {
		if strings.HasPrefix(file, shippedPrefix) {
			continue
		}
		packages = append(packages, namespace(m))
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	where := "in package main or under tfguard"
	if len(opts.Namespaces) > 0 {
		where = "in a package that matches " + strings.Join(opts.Namespaces, ", ")
	}
	if len(packages) == 0 {
		return fmt.Errorf("there is no rule to check: %s holds no .rego file", strings.Join(opts.Policies, ", "))
	}
	return fmt.Errorf("there is no rule to check: no deny, violation or warn %s; there are the packages %s", where, strings.Join(packages, ", "))
}

// namespaces returns a filter over names of packages such as main or tfguard.perimeter.
func namespaces(globs []string) (func(string) bool, error) {
	if len(globs) == 0 {
		return func(name string) bool {
			return name == "main" || name == "tfguard" || strings.HasPrefix(name, "tfguard.")
		}, nil
	}
	slash := strings.NewReplacer(".", "/")
	for _, g := range globs {
		if _, err := path.Match(slash.Replace(g), ""); err != nil {
			return nil, fmt.Errorf("%q is no pattern of a namespace: %w", g, err)
		}
	}
	return func(name string) bool {
		return slices.ContainsFunc(globs, func(g string) bool {
			ok, _ := path.Match(slash.Replace(g), slash.Replace(name))
			return ok
		})
	}, nil
}

// namespace returns the name of a module's package without "data.".
func namespace(m *ast.Module) string {
	return strings.TrimPrefix(m.Package.Path.String(), "data.")
}

// The names of rules that are guardrails are conftest's.
var (
	denies = regexp.MustCompile(`^(deny|violation)(_[a-zA-Z0-9]+)*$`)
	warns  = regexp.MustCompile(`^warn(_[a-zA-Z0-9]+)*$`)
)

// A guardrail is a definition of a rule that is asked for by itself, so that what it
// yields is known to be its own: several definitions of deny make one set.
type guardrail struct {
	rule *Rule
	ref  ast.Ref // of the copy that is asked for
	// excepted is the name that exceptions know the rule by.
	excepted string
	// exceptions is the ref of the rule exception of the package, nil if it has none.
	exceptions ast.Ref
}

// find lists the guardrails of modules, and gives each definition a name of its own.
func find(modules map[string]*ast.Module, selected func(string) bool) ([]*guardrail, error) {
	var out []*guardrail
	var errs []error
	exceptions := map[string]bool{}
	all := make([]*ast.Module, 0, len(modules))
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		m := modules[name]
		all = append(all, m)
		for _, r := range m.Rules {
			if r.Head.Name == "exception" {
				exceptions[namespace(m)] = true
			}
		}
	}
	annotations, bad := ast.BuildAnnotationSet(all)
	if len(bad) > 0 {
		return nil, located(bad)
	}
	for _, m := range all {
		if !selected(namespace(m)) {
			continue
		}
		for _, r := range slices.Clone(m.Rules) {
			name := string(r.Head.Name)
			if !denies.MatchString(name) && !warns.MatchString(name) {
				continue
			}
			if why := unusable(r); why != "" {
				errs = append(errs, fmt.Errorf("%s: %s %s", place(r.Head.Location), name, why))
				continue
			}
			rule, err := describe(m, r, annotations)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			g := &guardrail{rule: rule, ref: m.Package.Path.Append(ast.StringTerm(name))}
			if r.Head.RuleKind() == ast.MultiValue {
				g.ref = single(m, r, len(out))
			}
			_, g.excepted, _ = strings.Cut(name, "_")
			if exceptions[namespace(m)] {
				g.exceptions = m.Package.Path.Append(ast.StringTerm("exception"))
			}
			out = append(out, g)
		}
	}
	return out, errors.Join(errs...)
}

// unusable says why a rule of this name can yield no messages.
func unusable(r *ast.Rule) string {
	switch {
	case len(r.Head.Args) > 0:
		return "is a function, and a guardrail takes no arguments"
	case r.Head.RuleKind() == ast.SingleValue && r.Head.Value != nil && r.Head.Value.Equal(ast.InternedTerm(true)) && len(r.Head.Ref()) == 1:
		return "is true or undefined and yields no message: write `" + string(r.Head.Name) + " contains msg if { … }`"
	case len(r.Head.Ref()) > 1:
		return "is an object: write `" + string(r.Head.Name) + " contains msg if { … }`"
	}
	return ""
}

// definition stands in the names of copies before their number.
const definition = "__definition_"

// single adds a copy of one definition under a name that no one else has.
func single(m *ast.Module, r *ast.Rule, number int) ast.Ref {
	clone := r.Copy()
	name := fmt.Sprintf("%s%s%d", r.Head.Name, definition, number)
	clone.Head.Name = ast.Var(name)
	clone.Head.Reference = ast.Ref{ast.VarTerm(name)}
	clone.Annotations = nil
	clone.Module = m
	m.Rules = append(m.Rules, clone)
	return m.Package.Path.Append(ast.StringTerm(name))
}

func compile(l *loaded, opts Options) (*ast.Compiler, error) {
	c, err := compiler(l, opts)
	if err != nil {
		return nil, err
	}
	if c.Compile(l.modules); c.Failed() {
		return nil, located(c.Errors)
	}
	return c, nil
}

// compiler returns one that compiles as the options say.
func compiler(l *loaded, opts Options) (*ast.Compiler, error) {
	schemas, err := schemaSet(opts.Schema)
	if err != nil {
		return nil, err
	}
	return ast.NewCompiler().
		WithCapabilities(capabilities(opts.Allow)).
		WithStrict(opts.Strict).
		WithSchemas(schemas).
		WithUseTypeCheckAnnotations(opts.Schema != nil).
		WithPathConflictsCheck(l.isData), nil
}

// A group are the guardrails that see the same input, asked in one query: what one
// of them has computed, none of the others computes again.
type group struct {
	guardrails []*guardrail
	input      shape
	query      opa.PreparedEvalQuery
}

// plan arranges guardrails by the input they see and prepares their queries.
func plan(ctx context.Context, c *ast.Compiler, store storage.Store, guardrails []*guardrail, document []string) ([]*group, error) {
	byPackage := map[string][]*guardrail{}
	for _, g := range guardrails {
		byPackage[g.rule.Namespace] = append(byPackage[g.rule.Namespace], g)
	}
	var groups []*group
	for _, name := range slices.Sorted(maps.Keys(byPackage)) {
		gs := byPackage[name]
		s := shapeOf(c, name, gs, document)
		i := slices.IndexFunc(groups, func(g *group) bool { return g.input.kind == s.kind })
		if i < 0 {
			groups = append(groups, &group{input: s})
			i = len(groups) - 1
		} else {
			groups[i].input.mentioned.merge(s.mentioned)
		}
		groups[i].guardrails = append(groups[i].guardrails, gs...)
	}
	for _, g := range groups {
		var err error
		if g.query, err = prepare(ctx, c, store, g.guardrails); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// prepare makes one query of guardrails: for each an object with what it yields and
// whether it is excepted.
func prepare(ctx context.Context, c *ast.Compiler, store storage.Store, guardrails []*guardrail) (opa.PreparedEvalQuery, error) {
	var q strings.Builder
	q.WriteString("[")
	for i, g := range guardrails {
		if i > 0 {
			q.WriteString(", ")
		}
		fmt.Fprintf(&q, `{"yields": [x | x := %s]`, g.ref)
		if g.exceptions != nil {
			fmt.Fprintf(&q, `, "excepted": [x | %s[x][_] == %q]`, g.exceptions, g.excepted)
		}
		q.WriteString("}")
	}
	q.WriteString("]")
	options := []func(*opa.Rego){opa.Query(q.String()), opa.Compiler(c), opa.Store(store)}
	pq, err := opa.New(append(options, builtins()...)...).PrepareForEval(ctx)
	if err != nil {
		return pq, located(err)
	}
	return pq, nil
}
