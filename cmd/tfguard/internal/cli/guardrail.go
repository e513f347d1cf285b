package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/cmd/tfguard/internal/report"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/simulate"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/extract"
	"github.com/tfguard/tfguard/extract/cloudformation"
	"github.com/tfguard/tfguard/extract/terraform"
	"github.com/tfguard/tfguard/rego"
)

// guardrailOptions are the flags about rules in Rego.
type guardrailOptions struct {
	set *pflag.FlagSet // nil for a command without them

	policies, data, namespaces, profiles, allow []string

	version choice
	key     string
	update  bool
	timeout time.Duration
	memory  count // MiB

	// loaded are the rules of the inputs of a configuration, nil where there are none.
	loaded map[*config.Config]*rego.Rules
}

// regoFlags are the flags that the block rego of a configuration has a say in.
var regoFlags = []string{"policy", "data", "namespace", "profile", "rego-allow", "verification-key"}

func (g *guardrailOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	g.set = f
	f.StringArrayVarP(&g.policies, "policy", "p", nil, "guardrails in Rego: a file, a folder, a bundle (.tar.gz), https://… or oci://…; may be repeated")
	f.StringArrayVarP(&g.data, "data", "d", nil, "a file or folder of JSON and YAML that guardrails see as data; may be repeated")
	f.StringArrayVarP(&g.namespaces, "namespace", "n", nil, "packages whose rules count, as a glob (by default main and all under tfguard); may be repeated")
	f.StringArrayVar(&g.profiles, "profile", nil, "guardrails that come with tfguard: "+strings.Join(rego.Profiles(), ", ")+"; may be repeated")
	g.version = choice{"v1", []string{"v0", "v1"}}
	f.Var(&g.version, "rego-version", "version of Rego of policies that do not say: v0, v1")
	f.StringArrayVar(&g.allow, "rego-allow", nil, "a builtin that guardrails may call although it reaches the network, the environment, the clock or chance; may be repeated")
	f.StringVar(&g.key, "verification-key", "", "a file with the public key, or the secret, that every bundle must be signed with")
	f.BoolVar(&g.update, "update", false, "fetch remote bundles again; without it nothing is fetched")
	f.DurationVar(&g.timeout, "rego-timeout", rego.DefaultTimeout, "how long the guardrails may take for one input; 0 for no limit")
	g.memory = count(rego.DefaultMemory >> 20)
	f.Var(&g.memory, "rego-memory", "by how many MiB the heap may grow while the guardrails run; 0 for no limit")
	complete(cmd, "profile", rego.Profiles())
	complete(cmd, "rego-version", g.version.words)
	complete(cmd, "rego-allow", rego.Allowable())
}

// load loads the rules for the inputs of a configuration, if some are asked for; a
// command without the flags runs none.
func (g *guardrailOptions) load(ctx context.Context, cfg *config.Config) (*rego.Rules, error) {
	if rules, ok := g.loaded[cfg]; ok || g.set == nil {
		return rules, nil
	}
	opts := g.options(cfg)
	if len(opts.Policies)+len(opts.Profiles) == 0 {
		return nil, nil
	}
	rules, err := rego.Load(ctx, opts)
	if err != nil {
		return nil, err
	}
	if g.loaded == nil {
		g.loaded = map[*config.Config]*rego.Rules{}
	}
	g.loaded[cfg] = rules
	return rules, nil
}

// options are what the flags say and, where one is not given, a configuration.
func (g *guardrailOptions) options(cfg *config.Config) rego.Options {
	given := func(flag string) bool { return g.set.Changed(flag) }
	or := func(flag string, value, configured []string) []string {
		if given(flag) {
			return value
		}
		return configured
	}
	opts := rego.Options{
		Policies:   or("policy", g.policies, cfg.Rego.Policies),
		Data:       or("data", g.data, cfg.Rego.Data),
		Namespaces: or("namespace", g.namespaces, cfg.Rego.Namespaces),
		Profiles:   or("profile", g.profiles, cfg.Rego.Profiles),
		Allow:      or("rego-allow", g.allow, cfg.Rego.Allow),
		Version0:   g.version.value == "v0", VerificationKey: cfg.Rego.VerificationKey, Update: g.update,
		Timeout: g.timeout, Memory: uint64(g.memory) << 20,
		Schema: report.JSONSchema,
	}
	if given("verification-key") {
		opts.VerificationKey = g.key
	}
	for key := range report.New().Keys() {
		opts.Document = append(opts.Document, key)
	}
	if dir, err := os.UserCacheDir(); err == nil {
		opts.Cache = filepath.Join(dir, "tfguard", "bundles")
	}
	return opts
}

// keep returns what to read an input from, and a way to read it again as JSON. What
// comes from standard input is held for that, if some rule asks for it.
func keep(rules *rego.Rules, stdin io.Reader, path string) (io.Reader, func() (io.ReadCloser, error)) {
	if path != "-" {
		return stdin, func() (io.ReadCloser, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			return asJSON(path, f, f)
		}
	}
	if rules == nil || !rules.NeedsFile() {
		return stdin, nil
	}
	var held bytes.Buffer
	return io.TeeReader(stdin, &held), func() (io.ReadCloser, error) {
		return asJSON("standard input", bytes.NewReader(held.Bytes()), io.NopCloser(nil))
	}
}

// asJSON is an input as rules are given it. A binary plan has no JSON without the
// schemas of the providers.
func asJSON(name string, r io.Reader, c io.Closer) (io.ReadCloser, error) {
	buffered := bufio.NewReader(r)
	head, err := buffered.Peek(headSize)
	if (err == nil || errors.Is(err, io.EOF)) && isPlanFile("", head) {
		_ = c.Close() // the error at hand says more
		return nil, fmt.Errorf("%s: this is a binary plan, and a rule asks for input.plan: check the plan in JSON (`terraform show -json tfplan > plan.json`)", name)
	}
	return file{terraform.UTF8(buffered), c}, nil
}

// file is the text of a file that is to be closed.
type file struct {
	io.Reader
	io.Closer
}

// templateJSON gives a template, whatever it is written in, as JSON.
func templateJSON(open func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		f, err := open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		root, err := cloudformation.Parse(text)
		if err != nil {
			return nil, err
		}
		text, err = root.MarshalJSON()
		return io.NopCloser(bytes.NewReader(text)), err
	}
}

// guard runs the rules on what a check came to, and adds what they find to it.
func guard(ctx context.Context, rules *rego.Rules, c *report.Check, w *world, also []*chain.Chain, again func() (io.ReadCloser, error)) error {
	if rules == nil {
		return nil
	}
	doc := report.New()
	doc.Add(c)
	asked := &asked{world: w, also: also, replays: map[rego.Query]*chain.Replay{}}
	key := "plan"
	if c.Format == templateFormat {
		key, again = "template", templateJSON(again)
	}
	result, err := rules.Evaluate(ctx, rego.Input{
		Name: c.Path, Document: doc.Keys(), Key: key, File: again, Engine: asked,
	})
	if err != nil {
		return err
	}
	for i := range result.Findings {
		f, err := asked.finding(&result.Findings[i], c)
		if err != nil {
			return err
		}
		c.Guardrails = append(c.Guardrails, *f)
	}
	for _, r := range rules.All() {
		if !slices.Contains(result.Excepted, r) {
			c.Manuals = append(c.Manuals, manualOf(r))
		}
	}
	for _, b := range rules.Bundles() {
		c.Result.Notes = append(c.Result.Notes, fmt.Sprintf("Guardrails of %s are those of revision %s.", b.Source, b.Revision))
	}
	for _, r := range result.Excepted {
		c.Result.Notes = append(c.Result.Notes, fmt.Sprintf("An exception of the package %s turns %s off (%s:%d).", r.Namespace, r.ID, r.File, r.Line))
	}
	for _, note := range result.Notes {
		c.Diagnostics = append(c.Diagnostics, source.Diagnostic{Severity: source.Warning, Summary: "Call without an answer", Detail: note})
	}
	return nil
}

// manualOf is a rule as the report has it.
func manualOf(r *rego.Rule) report.Guardrail {
	out := report.Guardrail{
		Rule: r.ID, Title: r.Title, Description: flow(r.Description), Rationale: flow(r.Rationale),
		Remediation: flow(r.Remediation), Related: []string{},
	}
	for _, l := range r.Related {
		out.Related = append(out.Related, l.URL)
	}
	return out
}

// asked answers what rules ask the engine.
type asked struct {
	world *world
	also  []*chain.Chain // beside those of the catalogue
	// replays are those that were asked for, nil for what the input does not define.
	replays map[rego.Query]*chain.Replay
}

// Evaluate decides a case as tfguard simulate does.
func (*asked) Evaluate(text []byte) (any, error) {
	node, err := source.ParseJSON(text)
	if err != nil {
		return nil, err
	}
	c, diags := simulate.Decode(node, nil)
	for _, d := range diags {
		if d.Severity == source.Error {
			return nil, fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	if c.Request == nil {
		return nil, errors.New("the case has no request")
	}
	return c.Answer(), nil
}

// Replay replays a chain for one principal and resource, related or not.
func (a *asked) Replay(q rego.Query) (answer any, ok bool, why string, err error) {
	if a.world == nil {
		return nil, false, "", errors.New("a unit test has no plan: replace the call, `with tfguard.replay as {…}`")
	}
	own := func(c *chain.Chain) bool { return c.ID == q.Chain }
	if _, known := chain.Find(q.Chain); !known && !slices.ContainsFunc(a.also, own) {
		return nil, false, "", fmt.Errorf("there is no chain %q: there are %s", q.Chain, strings.Join(chainIDs(), ", "))
	}
	only, principals, resources := single(q.Principal, q.Action, q.Resource)
	result := chain.Run(a.world, chain.Options{Chains: []string{q.Chain}, Also: a.also, Only: only})
	if len(result.Replays) == 0 {
		return nil, false, fmt.Sprintf("the input has no replay of %s for %s, %s and %s; of this chain it has principals %s and resources %s",
			q.Chain, q.Principal, q.Action, q.Resource, principals, resources), nil
	}
	rep := result.Replays[0]
	doc := report.New()
	doc.Add(&report.Check{Inventory: &extract.Inventory{}, Result: chain.Result{Replays: result.Replays[:1]}})
	out := &doc.Replays[0]
	a.replays[identity(out)] = rep
	return out, true, "", nil
}

// identity is what makes a replay the one it is.
func identity(r *report.Replay) rego.Query {
	return rego.Query{
		Chain: r.Chain, Action: r.Action,
		Principal: cmp.Or(r.PrincipalAddress, r.StandIn, r.Principal), Resource: cmp.Or(r.ResourceAddress, r.Resource),
	}
}

// finding gives what a guardrail yielded the form of the report. A replay that it
// carries becomes one of the check's, if it is none yet.
func (a *asked) finding(f *rego.Finding, c *report.Check) (*report.Finding, error) {
	out := &report.Finding{
		Rule: f.Rule.ID, Severity: f.Rule.Severity, Message: f.Message, Remediation: f.Rule.Remediation,
		Address: f.Address, Source: report.Source{File: f.File, Line: f.Line, Column: f.Column, Attribute: f.Attribute},
	}
	if f.Replay == nil {
		return out, nil
	}
	i, err := a.index(f.Replay, c)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: replay is a replay of the report or the number of one: %w", f.Rule.File, f.Rule.Line, err)
	}
	out.Replay = &i
	if rep := c.Result.Replays[i]; out.Address == "" {
		out.Address = rep.Target.Address
	}
	return out, nil
}

// index returns the place of a replay among those of a check.
func (a *asked) index(replay any, c *report.Check) (int, error) {
	text, err := json.Marshal(replay)
	if err != nil {
		return 0, err
	}
	var number int
	if json.Unmarshal(text, &number) == nil {
		if number < 0 || number >= len(c.Result.Replays) {
			return 0, fmt.Errorf("there is no number %d", number)
		}
		return number, nil
	}
	var given report.Replay
	if err := json.Unmarshal(text, &given); err != nil {
		return 0, err
	}
	want := identity(&given)
	doc := report.New()
	doc.Add(&report.Check{Inventory: &extract.Inventory{}, Result: chain.Result{Replays: c.Result.Replays}})
	for i := range doc.Replays {
		if identity(&doc.Replays[i]) == want {
			return i, nil
		}
	}
	rep := a.replays[want]
	if rep == nil {
		return 0, fmt.Errorf("%s for %s, %s and %s is none", given.Chain, want.Principal, want.Action, want.Resource)
	}
	c.Result.Replays = append(c.Result.Replays, rep)
	return len(c.Result.Replays) - 1, nil
}
