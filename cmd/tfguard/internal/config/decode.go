package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
)

// root is the grammar of a file.
type root struct {
	Account      *accountBlock      `hcl:"account,block"`
	Organization *organizationBlock `hcl:"organization,block"`
	Networks     []networkBlock     `hcl:"network,block"`
	SCP          []orgPolicyBlock   `hcl:"scp,block"`
	RCP          []orgPolicyBlock   `hcl:"rcp,block"`
	Chains       []chainBlock       `hcl:"chain,block"`
	Expectations []expectBlock      `hcl:"expect,block"`
	Waivers      []waiverBlock      `hcl:"waiver,block"`
	Readings     *readingsBlock     `hcl:"readings,block"`
	Check        *checkBlock        `hcl:"check,block"`
	Rego         *regoBlock         `hcl:"rego,block"`
}

type accountBlock struct {
	ID         string    `hcl:"id,optional"`
	IDRange    hcl.Range `hcl:"id,attr_value_range"`
	Management bool      `hcl:"management,optional"`
	Details    string    `hcl:"authorization_details,optional"`
	At         hcl.Range `hcl:"authorization_details,attr_value_range"`
}

type organizationBlock struct {
	ID         string    `hcl:"id,optional"`
	IDRange    hcl.Range `hcl:"id,attr_value_range"`
	Paths      []string  `hcl:"paths,optional"`
	PathsRange hcl.Range `hcl:"paths,attr_value_range"`
}

type networkBlock struct {
	Name          string    `hcl:"name,label"`
	CIDRs         []string  `hcl:"cidrs,optional"`
	CIDRsRange    hcl.Range `hcl:"cidrs,attr_value_range"`
	VPC           cty.Value `hcl:"vpc,optional"`
	VPCRange      hcl.Range `hcl:"vpc,attr_value_range"`
	Endpoint      cty.Value `hcl:"vpc_endpoint,optional"`
	EndpointRange hcl.Range `hcl:"vpc_endpoint,attr_value_range"`
	Range         hcl.Range `hcl:",def_range"`
}

type orgPolicyBlock struct {
	Target       string    `hcl:"target,label"`
	LabelRange   hcl.Range `hcl:"target,label_range"`
	Files        []string  `hcl:"files"`
	FilesRange   hcl.Range `hcl:"files,attr_value_range"`
	Level        string    `hcl:"level,optional"`
	LevelRange   hcl.Range `hcl:"level,attr_value_range"`
	Targets      []string  `hcl:"targets,optional"`
	TargetsRange hcl.Range `hcl:"targets,attr_value_range"`
	// FullAccess is false where the default policy FullAWSAccess was detached.
	FullAccess *bool `hcl:"full_aws_access,optional"`
}

type expectBlock struct {
	Sentence     string    `hcl:"sentence,label"`
	Principal    string    `hcl:"principal"`
	Action       cty.Value `hcl:"action"`
	ActionRange  hcl.Range `hcl:"action,attr_value_range"`
	Resource     string    `hcl:"resource"`
	Chain        cty.Value `hcl:"chain"`
	ChainRange   hcl.Range `hcl:"chain,attr_value_range"`
	Verdict      string    `hcl:"verdict"`
	VerdictRange hcl.Range `hcl:"verdict,attr_value_range"`
	Range        hcl.Range `hcl:",def_range"`
}

type waiverBlock struct {
	Rule         string    `hcl:"rule"`
	Address      string    `hcl:"address"`
	Reason       string    `hcl:"reason"`
	ReasonRange  hcl.Range `hcl:"reason,attr_value_range"`
	Owner        string    `hcl:"owner,optional"`
	Expires      string    `hcl:"expires"`
	ExpiresRange hcl.Range `hcl:"expires,attr_value_range"`
	Range        hcl.Range `hcl:",def_range"`
}

// A checkBlock has an attribute for each flag, with '_' in the place of '-'.
type checkBlock struct {
	Body hcl.Body `hcl:",remain"`
}

// A readingsBlock has an attribute for each switch.
type readingsBlock struct {
	Body hcl.Body `hcl:",remain"`
}

type regoBlock struct {
	Bundles         []string `hcl:"bundles,optional"`
	Policies        []string `hcl:"policies,optional"`
	Data            []string `hcl:"data,optional"`
	Namespaces      []string `hcl:"namespaces,optional"`
	Profiles        []string `hcl:"profiles,optional"`
	Allow           []string `hcl:"allow,optional"`
	VerificationKey string   `hcl:"verification_key,optional"`
}

// decoder reads one file.
type decoder struct {
	opts  Options
	cfg   *Config
	diags hcl.Diagnostics
}

func (d *decoder) err(at hcl.Range, summary, detail string, args ...any) {
	d.diags = append(d.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at})
}

func (d *decoder) decode(text []byte) {
	file, diags := d.cfg.parser.ParseHCL(text, d.cfg.Path)
	if d.diags = diags; diags.HasErrors() {
		return
	}
	var r root
	d.diags = append(d.diags, gohcl.DecodeBody(file.Body, nil, &r)...)
	if r.Check != nil {
		d.check(r.Check.Body)
	}
	if r.Readings != nil {
		d.readings(r.Readings.Body)
	}
	if d.diags.HasErrors() {
		return
	}
	if r.Account != nil {
		d.account(r.Account)
	}
	if r.Organization != nil {
		d.organization(r.Organization)
	}
	for i := range r.Networks {
		d.network(&r.Networks[i])
	}
	d.orgPolicies(policy.SCP, r.SCP)
	d.orgPolicies(policy.RCP, r.RCP)
	for i := range r.Chains {
		d.chain(&r.Chains[i])
	}
	for i := range r.Expectations {
		d.expectation(&r.Expectations[i])
	}
	for i := range r.Waivers {
		d.waiver(&r.Waivers[i])
	}
	if r.Rego != nil {
		d.cfg.Rego = Rego{
			Policies: d.paths(slices.Concat(r.Rego.Bundles, r.Rego.Policies)), Data: d.paths(r.Rego.Data),
			Namespaces: r.Rego.Namespaces, Profiles: r.Rego.Profiles, Allow: r.Rego.Allow,
		}
		if key := r.Rego.VerificationKey; key != "" {
			d.cfg.Rego.VerificationKey = d.path(key)
		}
	}
}

var (
	accountID      = regexp.MustCompile(`^[0-9]{12}$`)
	organizationID = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
	orgPath        = regexp.MustCompile(`^o-[a-z0-9]{10,32}/r-[a-z0-9]{4,32}(/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})*/?$`)
)

func (d *decoder) account(b *accountBlock) {
	if b.ID != "" && !accountID.MatchString(b.ID) {
		d.err(b.IDRange, "Not an account id", "An account id has twelve digits.")
	}
	d.cfg.Account, d.cfg.Management = b.ID, b.Management
	if b.Details != "" {
		d.readDetails(b)
	}
}

func (d *decoder) organization(b *organizationBlock) {
	if b.ID != "" && !organizationID.MatchString(b.ID) {
		d.err(b.IDRange, "Not an organization id", `The id of an organization looks like "o-a1b2c3d4e5".`)
	}
	d.cfg.Organization = b.ID
	for _, p := range b.Paths {
		id, _, _ := strings.Cut(p, "/")
		switch {
		case !orgPath.MatchString(p):
			d.err(b.PathsRange, "Not a path in an organization", `%q is no path of the account in its organization: that looks like "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/".`, p)
		case b.ID != "" && id != b.ID:
			d.err(b.PathsRange, "Path of another organization", "%q is in another organization than %s.", p, b.ID)
		default:
			d.cfg.Organization = id
			d.cfg.OrgPaths = append(d.cfg.OrgPaths, strings.TrimSuffix(p, "/")+"/")
		}
	}
}

func (d *decoder) network(b *networkBlock) {
	n := chain.Network{
		Name: b.Name, VPCs: d.ids(b.VPC, b.VPCRange, "vpc-"), Endpoints: d.ids(b.Endpoint, b.EndpointRange, "vpce-"),
	}
	for _, s := range b.CIDRs {
		p, err := condition.ParsePrefix(s)
		switch {
		case err != nil:
			d.err(b.CIDRsRange, "Not an address range", `%q is no range of addresses: that looks like "203.0.113.0/24".`, s)
		case p.Addr().IsPrivate():
			d.err(b.CIDRsRange, "Private address range", "%s is private: AWS sees the public address of a caller (aws:SourceIp), or the VPC endpoint it comes through.", s)
		}
		n.CIDRs = append(n.CIDRs, p)
	}
	if len(n.CIDRs)+len(n.VPCs)+len(n.Endpoints) == 0 {
		d.err(b.Range, "Empty network", "A network has cidrs, a vpc or a vpc_endpoint.")
	}
	taken := func(n chain.Network) bool { return n.Name == b.Name }
	if slices.Contains(entries, b.Name) || slices.ContainsFunc(d.cfg.Networks, taken) {
		d.err(b.Range, "Duplicate network", "There is another network %q.", b.Name)
	}
	d.cfg.Networks = append(d.cfg.Networks, n)
}

// ids reads one or several ids with a prefix; none where the attribute is missing.
func (d *decoder) ids(v cty.Value, at hcl.Range, prefix string) []symbol.Text {
	if v.IsNull() {
		return nil
	}
	var out []symbol.Text
	for _, s := range d.words(v, at) {
		if !strings.HasPrefix(s, prefix) {
			d.err(at, "Unsuitable value", "%q is no id: that begins with %s.", s, prefix)
		}
		out = append(out, symbol.Literal(s))
	}
	return out
}

// verdicts are what an expectation may want.
var verdicts = []string{"allowed", "denied", "implicitDeny", "explicitDeny"}

func (d *decoder) expectation(b *expectBlock) {
	if !slices.Contains(verdicts, b.Verdict) {
		more := ""
		if b.Verdict == "unknown" {
			more = " An expectation that comes out unknown has failed: it is not shown to hold."
		}
		d.err(b.VerdictRange, "No such verdict", "A verdict is one of %s.%s", strings.Join(verdicts, ", "), more)
	}
	e := Expectation{
		Sentence: b.Sentence, Principal: b.Principal, Resource: b.Resource, Verdict: b.Verdict,
		Actions: d.words(b.Action, b.ActionRange), Chains: d.words(b.Chain, b.ChainRange),
		Origin: d.origin(), Range: rangeOf(b.Range),
	}
	known := d.chainIDs()
	for _, id := range e.Chains {
		if !strings.ContainsAny(id, "*?") && !slices.Contains(known, id) {
			d.err(b.ChainRange, "No such chain", "There is no chain %q, neither in this file nor among those that `tfguard chains list` shows.", id)
		}
	}
	d.cfg.Expectations = append(d.cfg.Expectations, e)
}

func (d *decoder) waiver(b *waiverBlock) {
	if strings.TrimSpace(b.Reason) == "" {
		d.err(b.ReasonRange, "Waiver without a reason", "Say why the finding is accepted: whoever reads this next must judge it again.")
	}
	expires, err := time.Parse(time.DateOnly, b.Expires)
	if err != nil {
		d.err(b.ExpiresRange, "Not a date", `A waiver expires on a day that is written like "2027-01-31".`)
	}
	d.cfg.Waivers = append(d.cfg.Waivers, Waiver{
		Rule: b.Rule, Address: b.Address, Reason: b.Reason, Owner: b.Owner, Expires: expires,
		Origin: d.origin(), Range: rangeOf(b.Range),
	})
}

// check reads the settings of flags.
func (d *decoder) check(body hcl.Body) {
	var names []string
	for _, flag := range d.opts.Flags {
		names = append(names, strings.ReplaceAll(flag, "-", "_"))
	}
	d.attributes(body, names, func(name string, values []string, at hcl.Range) {
		d.cfg.Check = append(d.cfg.Check, Setting{strings.ReplaceAll(name, "_", "-"), values, at})
	})
}

// readings reads which of AWS's pages to follow where they disagree.
func (d *decoder) readings(body hcl.Body) {
	modes := request.Modes()
	var names []string
	for _, m := range modes {
		names = append(names, m.Switch)
	}
	d.attributes(body, names, func(name string, values []string, at hcl.Range) {
		m := &modes[slices.Index(names, name)]
		switch {
		case len(values) == 1 && values[0] == m.Other:
			d.cfg.Switches, _ = m.Turn(d.cfg.Switches)
		case len(values) != 1 || values[0] != m.Default:
			d.err(at, "No such reading", "The switch %s is %q or %q: %s.", m.Switch, m.Default, m.Other, m.Title)
		}
	})
}

// attributes reads the words that a body gives to names, and takes no others.
func (d *decoder) attributes(body hcl.Body, names []string, take func(name string, values []string, at hcl.Range)) {
	schema := &hcl.BodySchema{}
	for _, name := range names {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	content, diags := body.Content(schema)
	d.diags = append(d.diags, diags...)
	for _, name := range names {
		a, ok := content.Attributes[name]
		if !ok {
			continue
		}
		value, diags := a.Expr.Value(nil)
		d.diags = append(d.diags, diags...)
		if !diags.HasErrors() {
			take(name, d.words(value, a.Expr.Range()), a.Expr.Range())
		}
	}
}

// words reads a text, a number or a truth as one word, and a list of them as several.
func (d *decoder) words(v cty.Value, at hcl.Range) []string {
	items := []cty.Value{v}
	if t := v.Type(); !v.IsNull() && (t.IsTupleType() || t.IsListType()) {
		items = v.AsValueSlice()
	}
	var out []string
	for _, item := range items {
		s, err := convert.Convert(item, cty.String)
		if err != nil || s.IsNull() {
			d.err(at, "Unsuitable value", "This takes a word, or a list of words.")
			return nil
		}
		out = append(out, s.AsString())
	}
	if len(out) == 0 {
		d.err(at, "Empty list", "This takes at least one word.")
	}
	return out
}

// paths makes paths relative to the folder of the file.
func (d *decoder) paths(names []string) []string {
	var out []string
	for _, name := range names {
		out = append(out, d.path(name))
	}
	return out
}

func (d *decoder) path(name string) string {
	if filepath.IsAbs(name) || strings.Contains(name, "://") {
		return name
	}
	return filepath.Join(filepath.Dir(d.cfg.Path), name)
}

func (d *decoder) origin() source.Origin { return source.Origin{File: d.cfg.Path} }

func rangeOf(r hcl.Range) source.Range {
	return source.Range{
		Start: source.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   source.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}
