package terraform

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/symbol"
	"github.com/tfguard/tfguard/extract"
)

// facts finds what holds for the whole input. It comes before any ARN is made,
// and after the policies are read, because those may name the account.
func (b *builder) facts() {
	b.Region = b.regionFact()
	b.region = b.Region.Value
	b.Partition = b.partitionFact()
	b.partition = b.Partition.Value
	b.Account = b.accountFact()
	b.account = b.Account.Value
}

// dataSources returns the data sources of a type that were read while planning.
func (r *resolver) dataSources(typ string) []*instance {
	return keep(r.read, func(in *instance) bool { return in.typ == typ && in.unknown == nil })
}

func (b *builder) accountFact() extract.Fact {
	if id, from, ok := b.callerIdentity("aws"); ok {
		return extract.Fact{Value: symbol.Literal(id), From: from}
	}
	if id, from, ok := b.assumedAccount("aws"); ok {
		return extract.Fact{Value: id, From: from}
	}
	known := extract.Tally{}
	for _, in := range slices.Concat(b.managed, b.gone) {
		if !b.defaultAccount(b.providerKey(in)) {
			continue // it may live in another account
		}
		for _, values := range []map[string]any{in.values, in.before} {
			known.Add(single(values["arn"]), in.address)
		}
	}
	if id, from, ok := known.Most(); ok {
		return extract.Fact{Value: symbol.Literal(id), From: from}
	}
	if !b.told.Value.IsZero() {
		return b.told
	}
	if id, from, ok := b.namedAccount(); ok {
		return extract.Fact{Value: symbol.Literal(id), From: from, Assumed: true}
	}
	return extract.Fact{Value: symbol.Symbol{Name: "account", Class: symbol.Digits}.Text()}
}

// namedAccount looks for a literal ARN of a role, user, group or policy that the
// input itself defines: its account must be meant.
func (b *builder) namedAccount() (id, from string, ok bool) {
	defined := map[string]bool{}
	for _, kind := range []string{"role", "user", "group", "policy"} {
		for _, in := range b.byType["aws_iam_"+kind] {
			if name, ok := in.str("name"); ok {
				defined[kind+"/"+name] = true
			}
		}
	}
	seen := extract.Tally{}
	look := func(t symbol.Text, where string) {
		a, isARN := arn.Parse(t)
		if t.Known() && isARN && a[arn.Service].String() == "iam" && defined[a.Type()+"/"+a.Name().String()] {
			seen.Add(t, where)
		}
	}
	for _, p := range b.Policies {
		if p.Sensitive {
			continue // a fact is shown
		}
		for i := range p.Statements {
			st := &p.Statements[i]
			if st.Principals != nil {
				for _, e := range st.Principals.Entries {
					look(e.Text, p.ID)
				}
			}
			if st.Resources != nil {
				for _, e := range st.Resources.Entries {
					look(e.Text(), p.ID)
				}
			}
		}
	}
	for _, in := range b.managed {
		for _, attr := range []string{"policy_arn", "permissions_boundary", "grantee_principal"} {
			if s, ok := in.str(attr); ok {
				look(symbol.Literal(s), in.address)
			}
		}
	}
	return seen.Most()
}

// accountOf is the account of an instance: that of the ARN it had before, else
// that of its provider configuration.
func (r *resolver) accountOf(in *instance) symbol.Text {
	if a, ok := arn.Parse(single(in.before["arn"])); ok && !a[arn.Account].IsZero() {
		return a[arn.Account]
	}
	key := r.providerKey(in)
	if key == "aws" {
		return r.account
	}
	if id, _, ok := r.callerIdentity(key); ok {
		return symbol.Literal(id)
	}
	if id, _, ok := r.assumedAccount(key); ok {
		return id
	}
	if r.defaultAccount(key) {
		return r.account
	}
	return symbol.Symbol{Name: key + ".account", Class: symbol.Digits}.Text()
}

// providerKey names the provider configuration of an instance; inside of modules
// the key carries the module that passes it on.
func (r *resolver) providerKey(in *instance) string {
	if in.config == nil {
		return "aws"
	}
	key := in.config.provider
	if _, known := r.providers[key]; !known {
		key = key[strings.LastIndexByte(key, ':')+1:]
	}
	return cmp.Or(key, "aws")
}

// credentials are the arguments of a provider that can lead to another account.
var credentials = []string{"assume_role", "assume_role_with_web_identity", "profile", "access_key", "shared_credentials_files", "shared_config_files"}

// defaultAccount reports whether a provider configuration leads to the account of
// the default one: both have the same constants as credentials, or none of their
// own. Equal references need not be equal values.
func (r *resolver) defaultAccount(key string) bool {
	if key == "aws" {
		return true
	}
	return !slices.ContainsFunc(credentials, func(name string) bool {
		own, set := r.providers[key].Expressions[name]
		def, defSet := r.providers["aws"].Expressions[name]
		return set != defSet || set && !(own.constantThroughout() && reflect.DeepEqual(own, def))
	})
}

// constantThroughout reports whether the configuration says all of an expression.
func (e expression) constantThroughout() bool {
	for _, block := range e.blocks {
		for _, attr := range block {
			if !attr.constantThroughout() {
				return false
			}
		}
	}
	return e.isConstant || len(e.blocks) > 0
}

// callerIdentity is the account that a provider configuration was seen to lead to.
func (r *resolver) callerIdentity(key string) (id, from string, ok bool) {
	for _, in := range r.dataSources("aws_caller_identity") {
		if id, ok := in.str("account_id"); ok && r.providerKey(in) == key {
			return id, in.address, true
		}
	}
	return "", "", false
}

// assumedAccount is the account that a provider configuration names: that of the role
// it assumes, of several the last, as each is assumed with the one before; else the
// one account that it allows (AWS provider, "allowed_account_ids").
func (r *resolver) assumedAccount(key string) (id symbol.Text, from string, ok bool) {
	for _, name := range []string{"assume_role", "assume_role_with_web_identity"} {
		e, set := r.providers[key].Expressions[name]
		if !set {
			continue
		}
		if n := len(e.blocks); n > 1 {
			e.blocks = e.blocks[n-1:]
		}
		role, ok := r.providerValue(key, e, "role_arn")
		a, isARN := arn.Parse(role)
		return a[arn.Account], "provider." + key + "." + name, ok && isARN
	}
	const allowed = "allowed_account_ids"
	e, set := r.providers[key].Expressions[allowed]
	if !set {
		return symbol.Text{}, "", false
	}
	id, ok = r.providerValue(key, e, allowed)
	return id, "provider." + key + "." + allowed, ok
}

// providerValue is the one value that an argument of a provider block has.
func (r *resolver) providerValue(key string, e expression, attr string) (symbol.Text, bool) {
	path := parseSteps(r.providers[key].ModuleAddress)
	out := r.expression(e, place{scope: r.root.find(path), path: path}, want{attr: attr}, 0)
	if len(out.candidates) != 1 || len(out.missing) > 0 || out.candidates[0].text.IsZero() {
		return symbol.Text{}, false
	}
	return out.candidates[0].text, true
}

func (b *builder) regionFact() extract.Fact {
	if t, ok := b.providerRegion("aws"); ok {
		return extract.Fact{Value: t, From: "provider.aws.region"}
	}
	for _, in := range b.dataSources("aws_region") {
		for _, attr := range []string{"region", "name", "id"} {
			if s, ok := in.str(attr); ok {
				return extract.Fact{Value: symbol.Literal(s), From: in.address}
			}
		}
	}
	var keys []string
	for key, pc := range b.providers {
		if pc.Alias != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if t, ok := b.providerRegion(key); ok && b.providers["aws"].Name == "" {
			return extract.Fact{Value: t, From: "provider." + key + ".region"}
		}
	}
	return extract.Fact{Value: symbol.Symbol{Name: "region", Class: symbol.Segment}.Text()}
}

// providerRegion returns the region of a provider block if the plan tells it.
func (r *resolver) providerRegion(key string) (symbol.Text, bool) {
	pc, ok := r.providers[key]
	if !ok {
		return symbol.Text{}, false
	}
	e, ok := pc.Expressions["region"]
	if !ok {
		return symbol.Text{}, false
	}
	return r.providerValue(key, e, "region")
}

// regionOf is the region of an instance: its own argument, else its provider's.
func (r *resolver) regionOf(in *instance) symbol.Text {
	if t := single(in.values["region"]); !t.IsZero() {
		return t
	}
	if in.config == nil {
		return r.region
	}
	// Inside of modules the key carries the module that passes the provider on.
	key := in.config.provider
	if _, configured := r.providers[key].Expressions["region"]; !configured {
		key = key[strings.LastIndexByte(key, ':')+1:]
	}
	if key == "aws" || key == "" {
		return r.region
	}
	if t, ok := r.providerRegion(key); ok {
		return t
	}
	return symbol.Symbol{Name: cmp.Or(key, "aws") + ".region", Class: symbol.Segment}.Text()
}

func (b *builder) partitionFact() extract.Fact {
	if p, ok := extract.PartitionOf(b.region); ok {
		return extract.Fact{Value: symbol.Literal(p), From: b.Region.From}
	}
	for _, in := range b.dataSources("aws_partition") {
		if s, ok := in.str("partition"); ok {
			return extract.Fact{Value: symbol.Literal(s), From: in.address}
		}
	}
	return extract.Fact{Value: symbol.Literal("aws"), From: "", Assumed: true}
}

func (r *resolver) partitionOf(in *instance) symbol.Text {
	if p, ok := extract.PartitionOf(r.regionOf(in)); ok {
		return symbol.Literal(p)
	}
	return r.partition
}
