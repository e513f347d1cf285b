package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/config"
	"github.com/tfguard/tfguard/engine"
	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// world presents an inventory to the chains.
type world struct {
	env        chain.Environment
	principals []*chain.Principal
	targets    []*chain.Target
	endpoints  []chain.Endpoint
	trails     []chain.Trail
	workgroups []chain.Workgroup
	// extra are policies that the inventory does not define and that take part.
	extra []*extract.Policy
	// notes are rulings that the verdicts rest on.
	notes []string
}

func (w *world) Principals() []*chain.Principal { return w.principals }
func (w *world) Targets() []*chain.Target       { return w.targets }
func (w *world) Endpoints() []chain.Endpoint    { return w.endpoints }
func (w *world) Trails() []chain.Trail          { return w.trails }
func (w *world) Workgroups() []chain.Workgroup  { return w.workgroups }
func (w *world) Environment() chain.Environment { return w.env }

// newWorld presents an inventory with what a configuration says of networks and of
// the account.
func newWorld(inv *extract.Inventory, cfg *config.Config) *world {
	w := &world{}
	org := organization(inv)
	admin, _ := managedPolicy("AdministratorAccess")
	w.env = chain.Environment{
		Account: inv.Account.Value, Partition: inv.Partition.Value, Region: inv.Region.Value,
		Organization: org, Time: symbol.Literal(inv.Timestamp), Administrator: admin,
		ManagementAccount: cfg.Management, Networks: cfg.Networks, VolumeKey: inv.VolumeKey, Switches: cfg.Switches,
	}
	for _, m := range request.Modes() {
		if m.On(cfg.Switches) {
			w.notes = append(w.notes, fmt.Sprintf("Where AWS's pages disagree, %s=%s is what %s chooses: %s.", m.Switch, m.Other, cfg.Path, m.Title))
		}
	}
	if slices.ContainsFunc(inv.Policies, readsMCP) {
		w.notes = append(w.notes, "Policies ask for condition keys that AWS sends with calls through its MCP servers. No chain goes through one: the keys are absent in every replay.")
	}
	if !slices.ContainsFunc(inv.Policies, func(p *extract.Policy) bool { return p.ID == admin.ID }) {
		w.extra = append(w.extra, &extract.Policy{Document: admin, AttachedTo: []string{chain.StandInAdmin, chain.StandInOrg, chain.StandInOutside}})
	}
	scp := levels(inv, policy.SCP, inv.Account.Value)
	rcp := levels(inv, policy.RCP, inv.Account.Value)
	w.env.RCP = rcp
	w.env.SCP, w.env.OrgSCP = scp, levels(inv, policy.SCP, chain.OrgAccount)
	if scp != nil {
		w.extra = append(w.extra, &extract.Policy{Document: fullAccess, AttachedTo: []string{"every level of the organization"}})
		if cfg.Management {
			w.notes = append(w.notes, "The account is the management account of its organization: service control policies do not bind its users and roles, nor resource control policies its resources.")
		} else {
			w.notes = append(w.notes, "Service control policies are judged as for a member account of the organization; they do not bind its management account.")
		}
	}
	for _, p := range inv.Principals {
		c := &chain.Principal{
			Address: p.Address, Caller: caller(inv, p, org),
			Identity: p.Identity, Boundary: p.Boundary, SCP: scp, Trust: p.Trust,
		}
		c.Caller.Principal.ManagementAccount = cfg.Management && c.Caller.Principal.Account == inv.Account.Value
		if c.Caller.Principal.Account != inv.Account.Value {
			c.SCP = levels(inv, policy.SCP, c.Caller.Principal.Account)
		}
		w.principals = append(w.principals, c)
	}
	for _, r := range inv.Resources {
		w.targets = append(w.targets, target(inv, r, org, rcp))
	}
	w.blockPublicAccess()
	w.namedBuckets(inv, rcp)
	for _, e := range inv.Endpoints {
		w.endpoints = append(w.endpoints, chain.Endpoint{Address: e.Address, ID: e.ID, VPC: e.VPC, Service: e.Service, IPv6: e.IPv6, Policies: e.Policies})
	}
	for _, t := range inv.Trails {
		w.trails = append(w.trails, chain.Trail{ARN: t.ARN, Bucket: t.Bucket, Prefix: t.Prefix, Key: t.Key, Organization: t.Organization})
	}
	for _, g := range inv.Workgroups {
		w.workgroups = append(w.workgroups, chain.Workgroup{ARN: g.ARN, Results: g.Results})
	}
	return w
}

// readsMCP reports whether a condition of a policy is over a key that only calls
// through an MCP server of AWS carry.
func readsMCP(p *extract.Policy) bool {
	if p.Sensitive {
		return false
	}
	return slices.ContainsFunc(p.Statements, func(st policy.Statement) bool {
		return slices.ContainsFunc(st.Conditions, func(c condition.Condition) bool {
			k, ok := request.Find(c.Key)
			return ok && k.Sent == request.ByMCP
		})
	})
}

func organization(inv *extract.Inventory) request.Organization {
	if inv.Organization.Value.IsZero() {
		return request.Organization{Member: kleene.Unknown, ID: symbol.Symbol{Name: "organization.id", Class: symbol.Segment, Unique: true}.Text()}
	}
	return request.Organization{Member: kleene.True, ID: inv.Organization.Value}
}

// caller is a principal as it calls. Its account is that of its ARN: one plan may
// reach several accounts, of which nobody says that they are in the organization;
// policies of its root and of the account itself are taken to bind them.
func caller(inv *extract.Inventory, p *extract.Principal, org request.Organization) request.Caller {
	account := inv.Account.Value
	if a, ok := arn.Parse(p.ARN); ok {
		account = a[arn.Account]
	}
	if account != inv.Account.Value {
		org.Member = min(org.Member, kleene.Unknown)
	}
	c := request.Caller{Organization: org, Tags: p.Tags}
	if p.Kind == extract.User {
		c.Principal = request.Principal{Kind: request.IAMUser, ARN: p.ARN, Account: account}
		return c
	}
	c.Principal = chain.RoleSession(inv.Partition.Value, account, symbol.Text{}, p.Name)
	c.Principal.ARN = p.ARN
	chain.SetKind(&c, p.Trust)
	if p.Kind == extract.PermissionSet {
		c.Session = request.IdentityCenter
	}
	return c
}

func target(inv *extract.Inventory, r *extract.Resource, org request.Organization, rcp []engine.Level) *chain.Target {
	t := &chain.Target{
		Address: r.Address, ARN: r.ARN, Account: r.Account, Region: r.Region, Organization: org,
		Policies: r.Policies, RCP: rcp,
	}
	if t.Account.IsZero() {
		t.Account = inv.Account.Value
	}
	if t.Account != inv.Account.Value {
		t.Organization.Member = min(org.Member, kleene.Unknown)
		t.RCP = levels(inv, policy.RCP, t.Account)
	}
	t.Kind, t.Key, t.Tags = chain.KindOf(r.Type), r.Key, r.Tags
	if r.PublicAccess != nil {
		t.RestrictPublic = r.PublicAccess.RestrictPublicBuckets
	}
	return t
}

// blockPublicAccess lists S3 Block Public Access among the policies, which it acts
// as wherever it may restrict a bucket.
func (w *world) blockPublicAccess() {
	var buckets []string
	for _, t := range w.targets {
		if t.RestrictPublic != kleene.False {
			buckets = append(buckets, cmp.Or(t.Address, t.ARN.String()))
		}
	}
	if len(buckets) > 0 {
		doc := &policy.Document{ID: engine.BlockPublicAccess, Kind: policy.Resource, Version: policy.Version2012}
		w.extra = append(w.extra, &extract.Policy{Document: doc, AttachedTo: buckets})
	}
}

// namedBuckets adds the buckets that only policies name, judged as if they had no
// policy of their own.
func (w *world) namedBuckets(inv *extract.Inventory, rcp []engine.Level) {
	known := map[string]bool{}
	for _, t := range w.targets {
		known[t.ARN.String()] = true
	}
	var names []string
	for _, p := range inv.Policies {
		if p.Origin.Address == "" || p.Sensitive {
			continue // AWS's own policies name AWS's own buckets; a target is shown
		}
		for i := range p.Statements {
			st := &p.Statements[i]
			if st.Resources == nil || st.Resources.Not {
				continue
			}
			for j := range st.Resources.Entries {
				if arn, ok := bucketARN(st.Resources.Entries[j].Text()); ok && !known[arn] {
					known[arn] = true
					names = append(names, arn)
				}
			}
		}
	}
	slices.Sort(names)
	if len(names) > 0 {
		w.notes = append(w.notes, "Buckets that are not in the input are judged as if they belonged to the account and had no policy of their own.")
	}
	for _, arn := range names {
		w.targets = append(w.targets, &chain.Target{
			Kind: chain.BucketTarget, ARN: symbol.Literal(arn), Account: inv.Account.Value,
			Region: inv.Region.Value, Organization: organization(inv), RCP: rcp,
		})
	}
}

// bucketARN returns the ARN of the bucket that a resource pattern names literally.
func bucketARN(t symbol.Text) (string, bool) {
	s, known := t.Literal()
	parts := strings.SplitN(s, ":", 6)
	if !known || len(parts) != 6 || parts[2] != "s3" || parts[3] != "" || parts[4] != "" {
		return "", false
	}
	name, _, _ := strings.Cut(parts[5], "/")
	if name == "" || strings.ContainsAny(name, "*?$") || strings.ContainsAny(parts[1], "*?") {
		return "", false
	}
	return strings.Join(parts[:5], ":") + ":" + name, true
}

// fullAccess is the policy that AWS attaches to every node of an organization.
var fullAccess = func() *policy.Document {
	doc, _ := policy.Parse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"FullAWSAccess", policy.SCP, source.Origin{})
	return doc
}()

// levels arranges the organization policies of a kind as levels for an account, root
// first. Those of the root hold for all; an account's for that account; those of an
// organizational unit where the input says that it holds the account, perhaps where
// it says nothing. The default policy stays attached unless the input detaches it;
// AWS lets no node be without a policy, so where it leaves none there is one that the
// input does not show.
func levels(inv *extract.Inventory, kind policy.Kind, id symbol.Text) []engine.Level {
	var root, account engine.Level
	units := map[string]engine.Level{}
	found := false
	for _, p := range inv.OrgPolicies {
		if p.Kind != kind {
			continue
		}
		for _, t := range p.Targets {
			attached := policy.Attached{Document: p.Document}
			if attached.Sure, attached.Why = holds(inv, &t, id); attached.Sure == kleene.False {
				continue
			}
			found = true
			switch t.Kind {
			case extract.OrgRoot:
				root = append(root, attached)
			case extract.OrgAccount:
				account = append(account, attached)
			default:
				units[unitOf(inv, &t)] = append(units[unitOf(inv, &t)], attached)
			}
		}
	}
	detached := kind == policy.SCP && len(inv.FullAccessDetached) > 0
	if !found && !detached {
		return nil
	}
	names := unitNames(inv)
	out := []engine.Level{root}
	for _, name := range names {
		out = append(out, units[name])
	}
	out = append(out, account)
	if kind == policy.SCP {
		nodes := []extract.OrgTarget{{Kind: extract.OrgRoot}}
		for _, name := range names {
			nodes = append(nodes, extract.OrgTarget{Kind: extract.OrgUnit, ID: symbol.Literal(name)})
		}
		for i, node := range append(nodes, extract.OrgTarget{Kind: extract.OrgAccount}) {
			out[i] = append(out[i], stillAttached(inv, &node, id)...)
			if len(out[i]) == 0 {
				unseen := policy.Unread("the service control policies of the "+string(node.Kind), kind, source.Origin{}, "the input detaches FullAWSAccess and shows no other")
				out[i] = engine.Level{{Document: unseen, Sure: kleene.True}}
			}
		}
	}
	return out
}

// holds reports whether a node of the organization is above an account, or is it.
func holds(inv *extract.Inventory, t *extract.OrgTarget, account symbol.Text) (sure kleene.Truth, why string) {
	ours := account == inv.Account.Value
	switch {
	case t.Kind == extract.OrgRoot:
		return kleene.True, ""
	case t.Holds:
		return kleene.Of(ours), ""
	case t.Apart && ours:
		return kleene.False, ""
	case t.Kind == extract.OrgAccount:
		return symbol.Equal(t.ID, account), "whether the account is " + t.ID.String()
	case ours && t.Kind == extract.OrgUnit && t.ID.Known() && len(inv.OrgPaths) > 0:
		return kleene.Of(slices.ContainsFunc(inv.OrgPaths, func(p string) bool { return strings.Contains(p, "/"+t.ID.String()+"/") })), ""
	}
	return kleene.Unknown, "whether the account is in " + nodeName(*t)
}

// unitNames names the levels of organizational units, from the root down: one for
// each unit that the input says holds the account, and one, with the empty name, for
// those of which it is not known.
func unitNames(inv *extract.Inventory) []string {
	var out []string
	if len(inv.OrgPaths) == 1 {
		out = strings.Split(strings.Trim(inv.OrgPaths[0], "/"), "/")[2:]
	}
	add := func(t *extract.OrgTarget) {
		if t.Kind == extract.OrgUnit && t.Holds && !slices.Contains(out, t.ID.String()) {
			out = append(out, t.ID.String())
		}
	}
	for _, p := range inv.OrgPolicies {
		for i := range p.Targets {
			add(&p.Targets[i])
		}
	}
	for i := range inv.FullAccessDetached {
		add(&inv.FullAccessDetached[i])
	}
	return append(out, "")
}

// unitOf names the level that the policies of a unit stand at.
func unitOf(inv *extract.Inventory, t *extract.OrgTarget) string {
	if name := t.ID.String(); slices.Contains(unitNames(inv), name) {
		return name
	}
	return ""
}

func nodeName(t extract.OrgTarget) string {
	if t.Address != "" {
		return t.Address
	}
	return t.ID.String()
}

// stillAttached is the default policy at a level of the account, unless the input
// detaches it there: from the root, from the account, from a unit that holds it or,
// where that is not known, perhaps from its unit.
func stillAttached(inv *extract.Inventory, level *extract.OrgTarget, account symbol.Text) []policy.Attached {
	full := policy.Attached{Document: fullAccess, Sure: kleene.True}
	for i := range inv.FullAccessDetached {
		t := &inv.FullAccessDetached[i]
		here := kleene.Unknown
		if t.Kind != extract.OrgUnknown {
			if t.Kind != level.Kind || t.Kind == extract.OrgUnit && unitOf(inv, t) != level.ID.String() {
				continue
			}
			here, _ = holds(inv, t, account)
		}
		if still := kleene.Not(here); still < full.Sure {
			full.Sure, full.Why = still, "whether the account is in "+nodeName(*t)+", which loses FullAWSAccess"
		}
	}
	if full.Sure == kleene.False {
		return nil
	}
	return []policy.Attached{full}
}

// managedPolicy gives the document of an AWS managed policy by its name.
func managedPolicy(name string) (*policy.Document, bool) {
	text, ok := awsref.ManagedPolicy(name)
	if !ok {
		return nil, false
	}
	doc, diags := policy.Parse(text, "arn:aws:iam::aws:policy/"+name, policy.Identity, source.Origin{})
	return doc, !diags.HasErrors()
}
